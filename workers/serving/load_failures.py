"""Models that this worker was told to serve and could not load: retried, alerted of, and closed."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine

from db import alerts
from db.models.standing import CHAMPION, SHADOW
from db.session import transaction

log = logging.getLogger(__name__)

ALERTS = {CHAMPION: "model_refused", SHADOW: "shadow_refused"}
CHAMPION_KEPT = "{worker}: champion {version} refused: {problem}; {serving} goes on serving"
CHAMPION_AWAY = (
    "{worker}: champion {version} refused: {problem}; this worker takes no pictures of {product} "
    "until it can"
)
SHADOW_KEPT = "{worker}: shadow {version} refused: {problem}; {serving} goes on serving"
SHADOW_AWAY = "{worker}: shadow {version} refused: {problem}; it judges nothing"
_WORDS = {
    (CHAMPION, True): CHAMPION_KEPT,
    (CHAMPION, False): CHAMPION_AWAY,
    (SHADOW, True): SHADOW_KEPT,
    (SHADOW, False): SHADOW_AWAY,
}
LONGEST_WAIT_S = 10.0  # a store that is back is found within this
RENEW_S = 60.0
LAPSE = timedelta(minutes=5)  # of the alerts of workers that are no more

Key = tuple[str, str]  # product and role


@dataclass(slots=True)
class _Failure:
    version: str
    problem: str
    alert: str  # its words
    wait_s: float
    retry_at: float
    renew_at: float = 0.0  # at once: an alert that could not be stored is tried again


class LoadFailures:
    """What could not be loaded, by product and role. Used by one thread at a time.

    Args:
        engine: where the alerts are.
        worker: this worker's name; its alerts are told from those of others by it.
        first_wait_s: from a failure to the next try; it doubles.
    """

    def __init__(self, engine: Engine, worker: str, first_wait_s: float) -> None:
        self._engine = engine
        self._worker = worker
        self._first_wait_s = min(first_wait_s, LONGEST_WAIT_S)
        self._failures: dict[Key, _Failure] = {}
        self._clear: set[Key] = set()  # what has no alert by this worker's name
        self._lapse_at = 0.0

    def due(self, key: Key, version: str) -> bool:
        """Whether to try to load it now."""
        failure = self._failures.get(key)
        other = failure is None or failure.version != version
        return other or (failure is not None and time.monotonic() >= failure.retry_at)

    def problem(self, key: Key) -> str | None:
        """Why it could not be loaded, in a sentence; None if nothing is wrong."""
        failure = self._failures.get(key)
        return None if failure is None else failure.problem

    def add(self, key: Key, version: str, problem: str, serving: str | None) -> None:
        """It could not be loaded. Said once for each version and problem.

        Args:
            serving: the version that goes on serving instead, or None.
        """
        before = self._failures.get(key)
        known = before is not None and (before.version, before.problem) == (version, problem)
        if before is not None and before.version == version:
            wait_s = min(LONGEST_WAIT_S, before.wait_s * 2)
        else:
            wait_s = self._first_wait_s
        if not known:
            self.over(key)
            product, role = key
            words = _WORDS[role, serving is not None].format(
                worker=self._worker,
                version=version,
                problem=problem,
                product=product,
                serving=serving,
            )
            log.error("%s", words)
            before = _Failure(version, problem, words, 0.0, 0.0)
            self._failures[key] = before
        assert before is not None
        before.wait_s, before.retry_at = wait_s, time.monotonic() + wait_s

    def over(self, key: Key) -> None:
        """It serves, or is wanted no more: what this worker alerted of is over.

        Also what it alerted of before it was started anew.
        """
        if key in self._failures or key not in self._clear:
            product, role = key
            kind = ALERTS[role]
            with transaction(self._engine) as connection:
                alerts.resolve(connection, kind=kind, product=product, source=self._worker)
            self._clear.add(key)
            self._failures.pop(key, None)

    def keep(self, wanted: Collection[tuple[str, str]]) -> None:
        """Forget what is wanted no more, and renew the alerts about the rest."""
        for key in list(self._failures):
            if key not in wanted:
                self.over(key)
        now = time.monotonic()
        for (product, role), failure in self._failures.items():
            if now < failure.renew_at:
                continue
            with transaction(self._engine) as connection:
                alerts.raise_alert(
                    connection,
                    kind=ALERTS[role],
                    severity="critical" if role == CHAMPION else "warning",
                    product=product,
                    message=failure.alert,
                    source=self._worker,
                )
            self._clear.discard((product, role))
            failure.renew_at = now + RENEW_S
        if now >= self._lapse_at:
            with transaction(self._engine) as connection:
                alerts.lapse(connection, kinds=tuple(ALERTS.values()), unseen_for=LAPSE)
            self._lapse_at = now + RENEW_S
