"""Flower only shows, and what it shows runs nothing."""

from __future__ import annotations

import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flower.urls import handlers

from linewatch.plant import environment, flower_answers
from linewatch.services import ServiceGroup, free_port, python_command
from linewatch.settings import Settings
from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import PATIENCE
from tests.support.browser import chromium_page
from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from workers.app import make_app
from workers.flower.server import HEADERS

PAGES = ("/", "/workers", "/tasks", "/broker", "/nothing", "/metrics", "/static/js/flower.js")
# A route of Flower's, with something in each of its places.
ROUTES = sorted(
    {
        re.sub(r"\(\.[+*]\)", "linewatch.inspect", pattern).replace("/?", "").replace("\\", "")
        for pattern in (
            (getattr(handler, "regex", None) and handler.regex.pattern.rstrip("$")) or handler[0]
            for handler in handlers
        )
    }
    - {".*"}
)
AUTH = {"LINEWATCH_FLOWER_BASIC_AUTH": "ann:pass,word"}
HOSTILE = "<img id=element src=x onerror='window.pwned=1'><script>window.pwned=1</script>"


class Watched:
    """A Redis, and Flowers that watch it."""

    def __init__(self, settings: Settings, group: ServiceGroup) -> None:
        self.settings, self.group = settings, group

    def flower(self, *options: str, **env: str) -> str:
        port = free_port()
        command = python_command("linewatch", "flower", "--port", str(port), *options)
        self.group.start(f"flower{port}", command, {"FLOWER_UNAUTHENTICATED_API": "1", **env})
        url = f"http://127.0.0.1:{port}"
        self.group.wait_until("flower", lambda: flower_answers(url), 30 * PATIENCE)
        return url

    def publish(self, kind: str, *, hostname: str = "w@h", **fields: Any) -> None:
        """An event, as a worker publishes it; these are whatever somebody likes."""
        with make_app(self.settings) as app, app.connection() as connection:
            dispatcher = app.events.Dispatcher(connection, hostname=hostname, enabled=True)
            dispatcher.publish(kind, fields, dispatcher.producer)


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, _sqlite_template: Path, _environment: object
) -> Iterator[Watched]:
    folder = tmp_path_factory.mktemp("watched")
    server = RedisServer(folder)
    server.start(appendonly="no")
    database = folder / "linewatch.db"
    shutil.copy(_sqlite_template, database)
    settings = plant_settings(folder, f"sqlite:///{database}", server.url, folder)
    with ServiceGroup(folder / "logs", environment(settings)) as group:
        yield Watched(settings, group)
    server.stop()


@pytest.fixture(scope="module")
def flower(watched: Watched) -> str:
    return watched.flower()


def answer(url: str, method: str = "GET", **headers: str) -> tuple[int, Any, str]:
    data = b"" if method == "POST" else None
    request = urllib.request.Request(url, method=method, headers=headers, data=data)
    try:
        with urllib.request.urlopen(request, timeout=30 * PATIENCE) as reply:
            return reply.status, reply.headers, reply.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode(errors="replace")


def test_nothing_can_be_changed(watched: Watched, flower: str) -> None:
    assert {"/api/worker/shutdown/linewatch.inspect", "/api/task/revoke/linewatch.inspect"} <= set(
        ROUTES
    )
    told = {
        (method, path): answer(flower + path, method)[0]
        for path in [*ROUTES, "/nothing", "/api/worker/shutdown/%77@h", "//tasks/datatable"]
        for method in ("POST", "PUT", "DELETE", "PATCH")
        if (method, path) != ("POST", "/tasks/datatable")  # a question, too long for GET
    }
    assert set(told.values()) == {403}, told
    assert (
        answer(f"{flower}/tasks/datatable?draw=1&start=0&length=9&order[0][column]=0", "POST")[0]
        == 200
    )
    _, _, said = answer(f"{flower}/api/worker/shutdown/w@h", "POST")
    assert "--control" in said


def test_every_answer_has_the_headers(flower: str) -> None:
    for path in (*PAGES, "/worker/nobody", "/api/workers", "/healthcheck"):
        for method in ("GET", "POST"):
            _, headers, _ = answer(flower + path, method)
            assert {name: headers[name] for name in HEADERS} == HEADERS, path


def test_control_lifts_it_and_workers_obey(watched: Watched) -> None:
    url = watched.flower("--control")
    worker = ("worker", "--no-supervise", "--queues", "maintenance", "--name", "w")
    service = watched.group.start("w", python_command("linewatch", *worker))
    until(lambda: '"w@' in answer(f"{url}/api/workers?refresh=1")[2], 30 * PATIENCE)
    name = re.findall(r'"(w@[^"]+)"', answer(f"{url}/api/workers")[2])[0]
    assert "worker-shutdown" in answer(f"{url}/worker/{name}")[2]
    shows_only = watched.flower()
    until(lambda: '"w@' in answer(f"{shows_only}/api/workers?refresh=1")[2], 30 * PATIENCE)
    page = answer(f"{shows_only}/worker/{name}")
    assert page[0] == 200
    assert "worker-shutdown" not in page[2]
    assert answer(f"{shows_only}/api/worker/shutdown/{name}", "POST")[0] == 403
    assert answer(f"{url}/api/worker/shutdown/{name}", "POST")[0] == 200
    watched.group.services.remove(service)
    assert service.process.wait(30 * PATIENCE) == 0


def test_a_password_is_asked_for_all_but_health_and_metrics(watched: Watched) -> None:
    url = watched.flower(FLOWER_READ_ONLY="false", **AUTH)
    login = {"Authorization": "Basic YW5uOnBhc3Msd29yZA=="}
    assert answer(f"{url}/", **login)[0] == 200
    assert answer(f"{url}/api/workers", **login)[0] == 200
    for path in ("/", "/workers", "/tasks", "/broker", "/worker/w", "/api/workers", "/api/tasks"):
        assert answer(url + path)[0] == 401, path
        # the part before the comma is not a password by itself
        assert answer(url + path, Authorization="Basic YW5uOnBhc3M=")[0] == 401, path
    assert answer(f"{url}/healthcheck")[0] == answer(f"{url}/metrics")[0] == 200
    assert answer(f"{url}/api/worker/shutdown/w@h", "POST", **login)[0] == 403
    assert answer(f"{url}/api/worker/shutdown/w@h", "POST")[0] == 403


def test_a_file_in_the_current_folder_is_not_run(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "flowerconfig.py").write_text("open('was-run', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    watched.flower(PYTHONPATH=str(Path(__file__).parents[3]))
    assert not (tmp_path / "was-run").exists()


@pytest.fixture
def page() -> Iterator[Any]:
    with chromium_page() as opened:
        yield opened


@pytest.mark.browser
def test_pages_work_behind_the_policy(watched: Watched, flower: str, page: Any) -> None:
    watched.publish("worker-heartbeat", freq=2, active=1, processed=3, loadavg=[1, 2, 3])
    watched.publish("task-received", uuid="u1", name="linewatch.inspect", args="line-1 · cam-1")
    for path, words in (("/workers", "w@h"), ("/tasks", "line-1 · cam-1"), ("/broker", "inspect")):
        page.goto(flower + path)
        page.get_by_text(words).first.wait_for(timeout=30_000)
    page.goto(f"{flower}/workers")
    assert page.evaluate("window.autorefresh") == 1  # Flower's own inline script
    page.goto(f"{flower}/task/u1")
    page.get_by_text("line-1 · cam-1").first.wait_for(timeout=30_000)
    page.locator("#theme-toggle").click()
    page.get_by_text("Dark").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert page.complaints == []


KINDS = {"text": HOSTILE, "list": [HOSTILE], "object": {"a": HOSTILE}}


@pytest.mark.browser
def test_what_others_write_is_text(watched: Watched, flower: str, page: Any) -> None:
    names = ("args", "kwargs", "result", "exception", "routing_key", "exchange", "traceback")
    numbers = ("runtime", "retries", "received", "revoked", "started", "sent")
    for kind, value in KINDS.items():
        fields = dict.fromkeys((*names, *numbers, "eta", "expires", "queue"), value)
        for event in ("task-received", "task-started", "task-succeeded"):
            watched.publish(event, uuid=kind, name="linewatch.inspect", **fields)
        told = dict.fromkeys(("active", "processed", "loadavg", "sw_ver", "freq"), value)
        watched.publish("worker-heartbeat", hostname=f"{kind}@h", **told)
    tasks = [f"/task/{kind}" for kind in KINDS]
    for path in ("/tasks", *tasks, "/workers", "/workers?json=1"):
        reply = page.goto(flower + path)
        assert reply.status == 200
        page.wait_for_load_state("networkidle") if "workers" not in path else None
        page.wait_for_timeout(300)
        if path in ("/tasks", "/workers"):
            assert [kind for kind in KINDS if kind not in page.content()] == []
        assert page.locator("#element").count() == 0, path
        assert page.evaluate("window.pwned") is None


@pytest.mark.browser
def test_a_script_that_got_into_a_page_does_not_run(flower: str, page: Any) -> None:
    page.goto(f"{flower}/tasks")
    page.evaluate("html => { document.body.innerHTML = html; $('body').html(html) }", HOSTILE)
    page.wait_for_timeout(300)
    assert page.locator("#element").count() == 1
    assert page.evaluate("window.pwned") is None
    assert any("Content Security Policy" in said for said in page.complaints)
