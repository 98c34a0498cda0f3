"""The one list of what a plant runs. Whoever adds a program adds it here.

From it come each program's secrets, its systemd unit, and what a test expects of
`docker-compose.yml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Program:
    """One program of Linewatch.

    Args:
        name: of the unit, `linewatch-NAME.service`; ends in @ where there may be several.
        service: its name in `docker-compose.yml`, if another.
        purpose: a few words for the unit.
        arguments: of the `linewatch` command.
        redis_user: who it is to Redis; None: it does not ask Redis.
        database_role: who it is to PostgreSQL; None: it does not ask the database.
        secrets: what it reads from files beside those, by the names under which it looks for them.
        environment: settings of its own.
        memory: what it may use at most.
        stop_s: how long it may take to end.
        needs: a file of the plant's folder without which it is not started.
        once: it does its work and ends, before the others start.
    """

    name: str
    purpose: str
    arguments: tuple[str, ...]
    redis_user: str | None = None
    database_role: str | None = None
    service: str = ""
    secrets: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    memory: str = "1g"
    stop_s: int = 30
    needs: str = ""
    once: bool = False

    def files(self) -> dict[str, str]:
        """What it reads from files, by name, and each one's file beneath `secrets/`."""
        found = dict(self.secrets)
        if self.redis_user is not None:
            found["LINEWATCH_REDIS_URL"] = f"redis/{self.redis_user}.url"
        if self.database_role is not None:
            found["LINEWATCH_DATABASE_URL"] = f"database_url_{self.database_role}"
        return found


# PostgreSQL users that are made, beside the owner.
LOGIN_ROLES = ("worker", "maintenance", "console", "reports")
LOGIN_FILES = MappingProxyType(
    {f"database_url_{role}": f"database_url_{role}" for role in LOGIN_ROLES}
)
_SIGNING = {"LINEWATCH_SIGNING_KEYS": "signing_keys"}
_REQUIRED = {"LINEWATCH_REQUIRE_SIGNATURES": "true"}

PROGRAMS = (
    Program(
        "prepare",
        "database: migrations, roles, products",
        ("db", "prepare"),
        database_role="owner",
        service="migrate",
        secrets=LOGIN_FILES,
        once=True,
    ),
    Program(
        "worker@",
        "inspect worker on %i",
        ("worker", "--queues", "inspect", "--name", "inspect-%i", "--device", "%i"),
        redis_user="worker",
        database_role="worker",
        service="worker-cpu-inspect",
        secrets=_SIGNING,
        environment={**_REQUIRED, "LINEWATCH_METRICS_PORT": "9464"},
        memory="8g",
    ),
    Program(
        "train",
        "training and maintenance worker",
        ("worker", "--queues", "train,maintenance", "--name", "train"),
        redis_user="worker",
        database_role="maintenance",
        service="worker-cpu",
        secrets=_SIGNING,
        environment=_REQUIRED,
        memory="8g",
        stop_s=60,
    ),
    Program("beat", "scheduler", ("beat",), redis_user="beat"),
    Program(
        "outputs",
        "verdicts to the lines",
        ("outputs", "run"),
        redis_user="outputs",
        database_role="worker",
        needs="outputs/outputs.yaml",
    ),
    Program(
        "alerts",
        "notifier, which raises alerts and tells people",
        ("alerts", "run"),
        redis_user="ops",
        database_role="maintenance",
        secrets={"LINEWATCH_ALERT_URLS": "alert_urls"},
    ),
    Program(
        "flower",
        "Flower, the page that watches the workers",
        ("flower",),
        redis_user="flower",
        secrets={"LINEWATCH_FLOWER_BASIC_AUTH": "flower_basic_auth"},
    ),
    Program(
        "console",
        "console: people's pages and the API",
        ("console",),
        redis_user="console",
        database_role="console",
        secrets=_SIGNING,
        memory="4g",
    ),
)

# What a person's commands are: `linewatch doctor`, `products register`, `labels import` ...
PERSON = Program(
    "admin",
    "a person's commands",
    ("doctor",),
    redis_user="ops",
    database_role="console",
    secrets={**_SIGNING, "LINEWATCH_ALERT_URLS": "alert_urls"},  # `alerts test`
)
