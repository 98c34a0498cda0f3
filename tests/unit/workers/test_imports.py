"""Importing a module of `workers` makes nothing: `train`, `models` and `purge` would pay for it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

IMPORT_ALL = """
import gc, importlib, pathlib, sys
from kombu.transport import TRANSPORT_ALIASES
from linewatch.settings import get_settings

before = dict(TRANSPORT_ALIASES)
for path in sorted(pathlib.Path("workers").rglob("*.py")):
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(name)
from celery import Celery

print("modules", sum(name.split(".")[0] == "workers" for name in sys.modules))
print("applications", sum(issubclass(type(thing), Celery) for thing in gc.get_objects()))
print("settings read", get_settings.cache_info().misses)
print("aliases changed", TRANSPORT_ALIASES != before)
"""


def _run(script: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env={"LINEWATCH_DATA_DIR": str(folder), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_every_module_makes_no_application(tmp_path: Path) -> None:
    said = dict(line.rsplit(" ", 1) for line in _run(IMPORT_ALL, tmp_path).splitlines())
    assert int(said.pop("modules")) > 60
    assert said == {"applications": "0", "settings read": "0", "aliases changed": "False"}


def test_importing_the_package_does_not_import_celery(tmp_path: Path) -> None:
    script = "import sys, workers, workers.retention.purge; print('celery' in sys.modules)"
    assert _run(script, tmp_path) == "False\n"


def test_celery_finds_the_application_whatever_was_imported_before(tmp_path: Path) -> None:
    """`celery -A workers` asks for `workers.app`, which may be a module, then `workers.celery`."""
    for first in ("", "import workers.app"):
        script = f"from celery.app.utils import find_app\n{first}\nprint(find_app('workers').main)"
        assert _run(script, tmp_path) == "linewatch\n"


def test_the_application_has_the_tasks_of_every_queue(tmp_path: Path) -> None:
    script = (
        "import workers\napp = workers.celery\napp.loader.import_default_modules()\n"
        "app.finalize()\nprint(*sorted(n for n in app.tasks if n.startswith('linewatch.')))"
    )
    tasks = _run(script, tmp_path).split()
    names = ("charts", "inspect", "maintenance", "retrain", "retrain_due")
    assert tasks == [f"linewatch.{name}" for name in names]


AFTER_A_CAMERA = """
import kombu
from linewatch.settings import get_settings
from workers.app import make_app

before = kombu.Connection("redis://").get_transport_cls()
make_app(get_settings())
after = [kombu.Connection(url).get_transport_cls() for url in ("redis://", "rediss://")]
print([f"{one.__module__}.{one.__name__}" for one in (before, *after)])
"""


def test_a_connection_that_was_made_before_the_application_changes_nothing(tmp_path: Path) -> None:
    """As of a camera in the same process: kombu keeps the transport that it found first."""
    ours = "workers.broker.transport.Transport"
    found = ["kombu.transport.redis.Transport", ours, ours]
    assert _run(AFTER_A_CAMERA, tmp_path) == f"{found}\n"
