"""Names that look like settings and are none: a mistyped one would keep its default unnoticed."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterable

from linewatch.nearest import nearest
from linewatch.settings.places import ENVIRONMENT, ENVIRONMENT_ONLY, PREFIX, Place

log = logging.getLogger(__name__)

# What docker-compose.yml asks for; a test compares.
COMPOSE = frozenset(
    f"{PREFIX}{name}"
    for name in (
        *("VERSION", "SOURCE", "UID", "GID", "DATA", "PICTURES", "PICTURES_AT"),
        *("REDIS_DATA", "REDIS_BIND"),
        *("REDIS_MAXMEMORY", "REDIS_MEMORY", "POSTGRES_MEMORY", "WORKER_MEMORY"),
        *("TRAIN_MEMORY", "ADMIN_MEMORY", "CONSOLE_MEMORY"),
    )
)
TOLD = "LINEWATCH_UNKNOWN_TOLD"  # what a parent process has told already
_INTERNAL = (TOLD, "LINEWATCH_HEARTBEAT_FD")  # from our programs to those they start
_DEVELOPERS = ("TEST_", "BENCH_", "FAULTS_", "GPU_")  # tests and benchmarks
# Kubernetes gives each pod such variables for a Service that is called linewatch-….
_SERVICE = re.compile(
    r"_SERVICE_(HOST|PORT(_\w+)?)$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$"
)
_SERVICE_URL = re.compile(r"(tcp|udp|sctp)://")


def unknown_names(settings: Iterable[str], places: Iterable[Place]) -> list[str]:
    """A sentence for each name that is no setting, with the one that it most resembles.

    Args:
        settings: the known ones, as variables are called.
    """
    known = frozenset(settings)
    said = (_sentence(name, place, known) for place in places for name in place.names)
    return [words for words in said if words]


def tell_once(sentences: Iterable[str]) -> None:
    """Log what is new, in one line; the processes that this one starts do not say it again."""
    told = os.environ.get(TOLD, "")
    new = [words for words in sentences if words not in told]
    if new:
        os.environ[TOLD] = " ".join([told, *new]).strip()
        log.warning("%s", " ".join(new))


def _sentence(name: str, place: Place, known: frozenset[str]) -> str | None:
    shown = f"{name[:60]!a}"[1:-1]
    where = f"{shown} ({place.label})"
    if not name.upper().startswith(PREFIX):
        right = f"{PREFIX}{name.upper()}"
        if place.label == ENVIRONMENT or right not in known:
            return None  # anybody's
        return f"{where} is no setting: did you mean {right}?"
    if name.upper() in ENVIRONMENT_ONLY:
        in_vain = place.label != ENVIRONMENT
        return f"{where} is read from the environment alone: set it there." if in_vain else None
    if name.upper() in known or _is_known_otherwise(name, place):
        return None
    short = name.upper().removeprefix(PREFIX)
    candidates = [one.removeprefix(PREFIX) for one in (*known, *ENVIRONMENT_ONLY)]
    near = nearest(short, candidates)  # without what all have in common
    advice = f"did you mean {PREFIX}{near}?" if near else "see `linewatch settings`."
    return f"{where} is no setting: {advice}"


def _is_known_otherwise(name: str, place: Place) -> bool:
    rest = name.upper().removeprefix(PREFIX)
    if name.upper() in COMPOSE or name in _INTERNAL or rest.startswith(_DEVELOPERS):
        return True
    if place.label != ENVIRONMENT:
        return False
    by_url = rest.endswith("PORT") and _SERVICE_URL.match(os.environ.get(name, ""))
    return bool(by_url or _SERVICE.search(f"_{rest}"))
