"""`workers/broker` alone reaches into Celery and kombu, and `docs/celery.md` lists each reach."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

from linewatch.import_path import PACKAGES
from tests.support.celery_seam import reaches, reaches_of

ROOT = Path(__file__).parents[4]
OURS = (*sorted({*PACKAGES, "linewatch", "benchmarks"} - {"migrations", "products"}),)

PLANTED = {
    "from kombu.transport import redis": "imports kombu.transport.redis",
    "import celery.worker.state": "imports celery.worker.state",
    "from celery._state import current_app": "imports celery._state.current_app",
    "from kombu import transport": "imports kombu.transport",
    "import kombu\nkombu.transport.TRANSPORT_ALIASES": "uses kombu.transport.TRANSPORT_ALIASES",
    "from importlib import import_module\nimport_module('kombu.pools')": "imports kombu.pools",
    "from celery import Celery\nclass Mine(Celery): ...": "subclasses celery.Celery",
    "from celery import bootsteps\nbootsteps.Step.include = None": (
        "changes celery.bootsteps.Step.include"
    ),
    "import celery\nsetattr(celery.Task, 'run', None)": "changes celery.Task",
    "from celery import Task\nTask._get_app()": "uses celery.Task._get_app",
    "def f(channel): return channel._create_client()": "uses channel._create_client",
    "def f(request): request.message._raw = 1": "uses request.message._raw",
}


def test_nobody_else_reaches_into_celery_or_kombu() -> None:
    found = reaches(ROOT, OURS)
    assert not found, "\n".join(map(str, found))


@pytest.mark.parametrize(("code", "what"), PLANTED.items())
def test_a_reach_is_found(code: str, what: str) -> None:
    assert what in [words for _, words in reaches_of(ast.parse(code))]


@pytest.mark.parametrize(
    "code",
    [
        "from celery import Celery, Task, bootsteps, shared_task\nclass S(bootsteps.Step): ...",
        "from celery.exceptions import Reject\nclass Mine(Reject): ...",
        "import kombu\nkombu.Connection('redis://').ensure_connection()",
        "from celery.signals import task_prerun\ntask_prerun.connect(print)",
        "class A:\n  def f(self): self._x = A._y = type(self)._z",
        "def f(url): return url._replace(path='')",
    ],
)
def test_what_they_document_is_open_to_all(code: str) -> None:
    assert list(reaches_of(ast.parse(code))) == []


def test_a_planted_reach_is_named_with_its_file_and_line(tmp_path: Path) -> None:
    for package in ("producer", "workers"):
        shutil.copytree(ROOT / package, tmp_path / package)
    file = tmp_path / "producer" / "publisher.py"
    lines = len(file.read_text().splitlines())
    file.write_text(file.read_text() + "\n\nfrom kombu.transport.redis import Channel\n")
    (tmp_path / "workers" / "broker" / "more.py").write_text("import kombu.pools\n")
    assert [str(reach) for reach in reaches(tmp_path, ("producer", "workers"))] == [
        f"producer/publisher.py:{lines + 3}: imports kombu.transport.redis.Channel"
    ]
