"""How far the clocks of a line's cameras are ahead of the database's, which judges deadlines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from producer.clock_skew import CameraClock, ClockSkew

FRESH_S = 86_400.0  # an older measurement says nothing of today's clock
_NONE = timedelta()


@dataclass(frozen=True, slots=True)
class CameraTime:
    """What is known of them; nothing at first.

    Attributes:
        known: how far each is ahead (behind: less than 0), by line and camera.
    """

    known: Mapping[tuple[str, str], timedelta] = field(default_factory=dict)

    def ahead(self, line: str, camera: str | None = None) -> timedelta:
        """Of one camera; of a line, or where the camera is not known, what is furthest ahead.

        With that a deadline ends rather too early than too late, which is the safe side.
        """
        if camera is not None and (line, camera) in self.known:
            return self.known[line, camera]
        return max((one for (of, _), one in self.known.items() if of == line), default=_NONE)

    @classmethod
    def of(
        cls, clocks: Iterable[CameraClock], redis: ClockSkew, database: ClockSkew, now_s: float
    ) -> CameraTime:
        """From what the cameras' senders noted, which is in Redis's time.

        Of several senders of one camera the last counts. What is within the measurement's error
        is no skew.

        Args:
            redis, database: how far these are ahead of this PC.
            now_s: by the clock of Redis, in seconds since 1970.
        """
        between = ClockSkew(redis.ahead_s - database.ahead_s, redis.error_s + database.error_s)
        known = {}
        for clock in sorted(clocks, key=lambda one: one.at_s):
            if now_s - clock.at_s < FRESH_S:
                ahead_s = clock.ahead_s + between.ahead_s
                is_off = abs(ahead_s) > clock.error_s + between.error_s
                known[clock.line, clock.camera] = timedelta(seconds=ahead_s if is_off else 0.0)
        return cls(known)
