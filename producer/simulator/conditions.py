"""How a picture is taken, and how that drifts over a production run."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Conditions:
    """The station's state at one picture; the defaults are a station in good order.

    Raises:
        ValueError: a value lies outside the range its comment gives.
    """

    lighting: float = 1.0  # 1 is nominal exposure, 0 is dark
    colour_temperature_k: float = 5600.0  # 2000 to 12000; lower is warmer
    direction_deg: float = 225.0  # where the light comes from, clockwise from the right
    defocus_px: float = 0.75  # standard deviation of the blur in a 1024 px picture
    noise: float = 2.2  # standard deviation in grey levels
    pose_jitter: float = 1.0  # 0 puts every part exactly in the middle
    wear: float = 0.0  # 0 a fresh blade, 1 a worn one: rougher face, more dust, dull copper

    def __post_init__(self) -> None:
        if not 2000 <= self.colour_temperature_k <= 12000:
            raise ValueError("colour_temperature_k must lie between 2000 and 12000")
        if not 0 <= self.wear <= 1:
            raise ValueError("wear must lie between 0 and 1")
        if min(self.lighting, self.defocus_px, self.noise, self.pose_jitter) < 0:
            raise ValueError("lighting, defocus_px, noise and pose_jitter must not be negative")


NOMINAL = Conditions()


@dataclass(frozen=True, slots=True)
class Drift:
    """A slow change of the station: from part `start` on, light fades and the blade wears.

    The rates are per part; with both at 0, the default, nothing drifts.

    Raises:
        ValueError: `start` or a rate is negative.
    """

    start: int = 0
    fade_per_part: float = 0.0
    wear_per_part: float = 0.0
    darkest: float = 0.25  # a fading lamp stops here, as a share of its first light

    def __post_init__(self) -> None:
        if min(self.start, self.fade_per_part, self.wear_per_part) < 0:
            raise ValueError("start, fade_per_part and wear_per_part must not be negative")

    def conditions(self, index: int, base: Conditions = NOMINAL) -> Conditions:
        """The conditions under which part `index` is photographed."""
        age = max(0, index - self.start)
        if not age:
            return base
        light = max(min(self.darkest, 1.0), 1.0 - self.fade_per_part * age)
        wear = min(1.0, base.wear + self.wear_per_part * age)
        return replace(base, lighting=base.lighting * light, wear=wear)
