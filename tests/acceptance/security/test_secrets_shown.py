"""A whole system whose every secret is marked: none of them is shown anywhere.

Not looked into: the environment of the processes (`/proc/PID/environ`), which only their own user
and root can read, and the files in which secrets are kept.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from db.inspections import dead_letters
from db.session import reading
from linewatch.plant import environment, flower_answers
from linewatch.redis_access.acl import ROLES, acl_file, password_hash, producer_role
from linewatch.services import free_port, python_command
from linewatch.settings import Settings
from producer.camera import Camera
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import PATIENCE, Live, live, message
from tests.acceptance.security.conftest import HOST
from tests.support.marked import Marked, command_lines
from tests.support.redis_server import RedisServer

_USERS = [*ROLES, producer_role(HOST)]
MARKED = Marked(*(role.name for role in _USERS), "database", "signing", "flower", "store", "wrong")
PAGES = ("/", "/workers", "/workers?json=1", "/tasks", "/broker", "/metrics", "/healthcheck")
API = ("/api/workers?refresh=1", "/api/tasks", "/api/task/types", "/api/queues/length")
INSPECT = (
    *("conf", "report", "stats", "registered", "active", "reserved", "scheduled", "revoked"),
    *("active_queues", "clock", "ping", "hello", "memsample"),
)


class Plant:
    """The system, and what it says to whoever asks."""

    def __init__(self, plant: Live, server: RedisServer, flower: str) -> None:
        self.live, self.server, self.flower = plant, server, flower

    def url(self, user: str, mark: str | None = None) -> str:
        return f"redis://{user}:{MARKED.in_url(mark or user)}@127.0.0.1:{self.server.port}/0"

    def page(self, path: str, *, method: str = "GET") -> str:
        """What Flower answers, errors too, with its headers."""
        login = base64.b64encode(f"ann:{MARKED['flower']}".encode()).decode()
        request = urllib.request.Request(
            self.flower + path, headers={"Authorization": f"Basic {login}"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=30 * PATIENCE) as reply:
                return f"{reply.status}\n{reply.headers}\n{reply.read().decode()}"
        except urllib.error.HTTPError as error:
            return f"{error.code}\n{error.headers}\n{error.read().decode()}"

    def run(self, *arguments: str, **changes: str) -> str:
        """What a command prints; with other settings, if any."""
        done = subprocess.run(
            python_command("linewatch", *arguments),
            env={
                **os.environ,
                **environment(self.live.settings),
                **secret_settings(),
                "LINEWATCH_REDIS_URL": self.url("ops"),
                **changes,
            },
            capture_output=True,
            text=True,
            timeout=60 * PATIENCE,
        )
        return done.stdout + done.stderr

    def logs(self) -> dict[str, str]:
        folder = self.live.settings.data_dir / "logs"
        return {path.name: path.read_text() for path in folder.glob("*.log")}


def secret_settings() -> dict[str, str]:
    return {
        "LINEWATCH_SIGNING_KEYS": f"2026a:{MARKED.plain('signing')}",
        "LINEWATCH_FLOWER_BASIC_AUTH": f"ann:{MARKED['flower']}",
        "LINEWATCH_REQUIRE_SIGNATURES": "true",
    }


@pytest.fixture(scope="module")
def plant(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    weights_dir: Path,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Plant]:
    """Redis with a user a role, PostgreSQL, workers, beat and Flower; a picture was judged."""
    databases = request.getfixturevalue("_postgresql")
    if isinstance(databases, str):
        pytest.skip(databases)
    folder = tmp_path_factory.mktemp("marked")
    users = folder / "users.acl"
    users.write_text(acl_file(_USERS, {r.name: password_hash(MARKED[r.name]) for r in _USERS}))
    server = RedisServer(folder, "admin", MARKED.in_url("admin"), aclfile=str(users))
    server.start()
    lent = databases.lend()
    database = make_url(lent).set(password=MARKED["database"])
    settings = plant_settings(
        folder, database.render_as_string(hide_password=False), server.url, weights_dir
    )
    try:
        for system in live(settings):
            yield _started(Plant(system, server, f"http://127.0.0.1:{free_port()}"))
    finally:
        server.kill()
        databases.give_back(lent)


def _started(plant: Plant) -> Plant:
    group = plant.live.group
    for name, user, *arguments in (
        ("w", "worker", "worker", "--queues", "inspect", "--name", "w"),
        ("t", "worker", "worker", "--queues", "train,maintenance", "--name", "t"),
        ("beat", "beat", "beat", "--loglevel", "DEBUG"),
        ("flower", "flower", "flower", "--port", plant.flower.rpartition(":")[2]),
    ):
        own = {"LINEWATCH_REDIS_URL": plant.url(user), **secret_settings()}
        group.start(name, python_command("linewatch", *arguments), own)
    group.wait_until("flower", lambda: flower_answers(plant.flower), 60 * PATIENCE)
    for name in ("w", "t"):
        group.wait_until(
            name, lambda name=name: " ready." in plant.logs()[f"{name}.log"], 60 * PATIENCE
        )
    settings = Settings(
        **{
            **plant.live.settings.model_dump(),
            "redis_url": plant.url(f"producer-{HOST}"),
            "signing_keys": f"2026a:{MARKED.plain('signing')}",
        }
    )
    with Camera("line-1", "cam-1", "widget", settings=settings) as camera:
        camera.submit(plant.live.picture())
        assert camera.wait(60 * PATIENCE), camera.status()
    return plant


def test_flower_shows_none(plant: Plant) -> None:
    plant.live.until(lambda: "linewatch.inspect" in plant.page("/api/tasks"), 30, "a task")
    plant.live.until(lambda: plant.page("/api/workers?refresh=1").count('"conf"') > 1, 30, "conf")
    workers = json.loads(plant.page("/api/workers").partition("\n\n")[2])
    task = next(iter(json.loads(plant.page("/api/tasks").partition("\n\n")[2])))
    assert {name.partition("@")[0] for name in workers} == {"w", "t"}
    paths = [f"/worker/{name}" for name in workers] + ["/worker/nobody", "/nothing"]
    paths += [f"/task/{task}", f"/api/task/info/{task}", f"/api/task/result/{task}"]
    answers = {path: plant.page(path) for path in (*PAGES, *API, *paths)}
    assert [path for path in answers if answers[path].startswith("5")] in (
        [],
        [f"/api/task/result/{task}"],  # there are no results
    )
    assert "broker_url" in answers[f"/worker/{next(iter(workers))}"]
    assert MARKED.shown_in(answers) == {}


def test_remote_control_shows_none(plant: Plant) -> None:
    from celery import Celery

    with Celery(broker=plant.server.url, set_as_current=False) as app:
        replies = {
            name: json.dumps(app.control.broadcast(name, reply=True, timeout=2, limit=2))
            for name in INSPECT
        }
        replies["conf with defaults"] = json.dumps(
            app.control.broadcast("conf", {"with_defaults": True}, reply=True, timeout=2, limit=2)
        )
        everything = {"taskinfoitems": ["app", "backend", "request_stack", "Request", "__dict__"]}
        replies["registered with items"] = json.dumps(
            app.control.broadcast("registered", everything, reply=True, timeout=2, limit=2)
        )
    assert "broker_url" in replies["conf"]
    assert all(reply.count("@") >= 2 for reply in replies.values()), replies
    assert MARKED.shown_in(replies) == {}


def test_commands_and_their_errors_show_none(plant: Plant) -> None:
    port, mark = free_port(), MARKED.in_url("wrong")
    picture = str(plant.live.picture())
    submit = ("submit", picture, "--no-wait", "--timeout", "1", "--line", "l", "--camera", "c")
    cases: dict[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
        "settings": (("settings",), {}),
        "doctor": (("doctor",), {}),
        "letters": (("dead-letters", "list", "--all"), {}),
        "wrong password": (("doctor",), {"LINEWATCH_REDIS_URL": plant.url("ops", "wrong")}),
        "no redis": (
            (*submit, "--product", "widget"),
            {"LINEWATCH_REDIS_URL": f"redis://u:{mark}@127.0.0.1:{port}/0"},
        ),
    }
    with ThreadPoolExecutor(2) as pool:
        runs = {name: pool.submit(plant.run, *args, **env) for name, (args, env) in cases.items()}
        outputs = {name: run.result() for name, run in runs.items()}
    assert all(outputs.values())
    assert MARKED.shown_in(outputs) == {}
    assert [name for name, output in outputs.items() if "Traceback" in output] == []


def test_programs_that_cannot_start_or_lose_what_they_need_show_none(plant: Plant) -> None:
    group, port, mark = plant.live.group, free_port(), MARKED.in_url("wrong")
    away = f"127.0.0.1:{port}"
    broken = {
        "redis-away": {"LINEWATCH_REDIS_URL": f"redis://u:{mark}@{away}/0"},
        "redis-no": {"LINEWATCH_REDIS_URL": plant.url("worker", "wrong")},
        "database-away": {"LINEWATCH_DATABASE_URL": f"postgresql://u:{mark}@{away}/x"},
    }
    plant.live.enqueue({"version": 9, "images": [], "note": "unsigned"})
    services = []
    for name, change in broken.items():
        own = {"LINEWATCH_REDIS_URL": plant.url("worker"), **secret_settings(), **change}
        worker = ("worker", "--no-supervise", "--queues", "train,maintenance", "--name", name)
        services.append(group.start(f"worker-{name}", python_command("linewatch", *worker), own))
        if "REDIS" in str(change):
            services.append(group.start(f"beat-{name}", python_command("linewatch", "beat"), own))
            flower = ("flower", "--port", str(free_port()))
            services.append(
                group.start(f"flower-{name}", python_command("linewatch", *flower), own)
            )
    plant.live.until(
        lambda: all(log.strip() for name, log in plant.logs().items() if "-" in name), 30, "logs"
    )
    lines = command_lines(service.process.pid for service in group.services)
    assert len(lines) > len(group.services)
    assert any("linewatch" in line or "celery" in line for line in lines.values())
    assert MARKED.shown_in(lines) == {}
    plant.server.client().execute_command("CLIENT", "KILL", "TYPE", "NORMAL")
    plant.live.until(
        lambda: "onnection" in plant.logs()["w.log"] and "ready" in plant.logs()["w.log"],
        30,
        "a worker that lost its connection",
    )
    plant.live.until(
        lambda: all(
            "rror" in log or "annot" in log or "refused" in log
            for name, log in plant.logs().items()
            if name.startswith("worker-redis")
        ),
        30,
        "errors of workers",
    )
    for service in services:
        service.process.kill()
        service.process.wait()
        group.services.remove(service)
    assert MARKED.shown_in(plant.logs()) == {}


def test_the_database_holds_none(plant: Plant) -> None:
    """Dead letters, alerts, the audit log: every text in every table."""
    plant.live.enqueue(message(plant.live.picture()))
    plant.live.until(lambda: len(dead_letters.newest(plant.live.engine)) > 1, 30, "letters")
    tables: dict[str, str] = {}
    with reading(plant.live.engine) as connection:
        names = connection.execute(
            text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        for name in list(names):
            rows = connection.execute(text(f'SELECT t::text FROM "{name}" t')).scalars()
            tables[name] = "\n".join(rows)
    assert any(tables.values())
    assert MARKED.shown_in(tables) == {}
