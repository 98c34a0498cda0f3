"""Files called as our packages are, beside a program and in the working folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from linewatch.import_path import PACKAGES
from linewatch.plant import flower_answers
from linewatch.services import free_port
from tests.support.waiting import until

ROOT = Path(__file__).parents[2]
OURS = PACKAGES
THEIRS = ("celery", "click", "kombu", "pydantic", "redis")
PROGRAM = "from linewatch import Camera\nprint('imported', Camera.__module__)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder where every import of such a name would tell."""
    there = tmp_path / "line"
    there.mkdir()
    for name in (*OURS, *THEIRS):
        (there / f"{name}.py").write_text(f"raise SystemExit('taken: {name}.py')\n")
    return there


def run(
    folder: Path, *arguments: str | Path, paths: tuple[Path, ...] = (ROOT,), **environment: str
) -> subprocess.CompletedProcess[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LINEWATCH_", "PYTHON"))}
    settings = {"LINEWATCH_DATA_DIR": str(folder.parent / "data"), **environment}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
        env={**kept, "PYTHONPATH": os.pathsep.join(map(str, paths)), **settings},
    )


@pytest.mark.parametrize("paths", [(ROOT,), (Path(), ROOT)], ids=["", "PYTHONPATH=."])
@pytest.mark.parametrize("way", ["module", "script", "code"])
def test_our_programs_take_nothing_from_the_working_folder(
    folder: Path, way: str, paths: tuple[Path, ...]
) -> None:
    script = folder.parent / "linewatch-script"  # as pip writes it
    script.write_text("from linewatch.__main__ import main\nmain()\n")
    code = "from linewatch.__main__ import main; main()"
    start = {"module": ("-m", "linewatch"), "script": (script,), "code": ("-c", code)}[way]
    done = run(folder, *start, "db", "upgrade", paths=paths)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder.parent / "data" / "linewatch.db").is_file()


@pytest.mark.parametrize(
    ("command", "paths"),
    [("beat", (ROOT,)), ("worker", (ROOT,)), ("worker", (Path(), ROOT))],
)
def test_the_programs_that_celery_runs_take_nothing_from_it_either(
    folder: Path, command: str, paths: tuple[Path, ...]
) -> None:
    """A setting that cannot work ends them, once our `workers` has been imported."""
    done = run(
        folder,
        *("-c", _SPOILT, *command.split()),
        paths=paths,
        LINEWATCH_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    said = done.stdout + done.stderr
    assert "taken:" not in said
    assert "LINEWATCH_MAX_BATCH" in said, said


# The command reads good settings, and the program that it starts bad ones.
_SPOILT = """
import os, sys
from linewatch.__main__ import main
from linewatch.import_path import run_as_program
run_as_program()
from linewatch import settings
from linewatch.import_path import PACKAGES
settings.get_settings()
os.environ['LINEWATCH_MAX_BATCH'] = 'many'
sys.argv[0] = 'linewatch'
main()
"""


def test_flower_takes_nothing_from_it(folder: Path, redis_url: str) -> None:
    port = free_port()
    log = folder.parent / "flower.log"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LINEWATCH_", "PYTHON"))}
    settings = {"LINEWATCH_DATA_DIR": str(folder.parent), "LINEWATCH_REDIS_URL": redis_url}
    with log.open("wb") as output:
        flower = subprocess.Popen(
            [sys.executable, "-m", "linewatch", "flower", "--port", str(port)],
            cwd=folder,
            env={**kept, "PYTHONPATH": str(ROOT), **settings},
            stdout=output,
            stderr=output,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        until(lambda: flower_answers(url) or flower.poll() is not None, 60)
        assert flower.poll() is None, log.read_text()
        assert "taken:" not in log.read_text()
    finally:
        flower.kill()
        flower.wait()


def test_celery_looks_for_nothing_in_the_working_folder(folder: Path) -> None:
    """Neither for the application nor, as it starts, for the modules of its tasks."""
    library = folder.parent / "library"
    library.mkdir()
    (library / "probe.py").write_text(
        "import os, sys\n"
        "from celery import Celery\n"
        "print('searched:', os.getcwd() in sys.path)\n"
        "app = Celery()\n"
    )
    command = ("-P", "-m", "linewatch.celery_program", "-A", "probe", "report")
    done = run(folder, *command, paths=(ROOT, library))
    assert "searched: False" in done.stdout, done.stdout + done.stderr


def test_celery_by_hand_takes_our_packages(folder: Path) -> None:
    """Where the folder has no `workers.py`, `celery -A workers` is ours, with our `db`."""
    for name in ("workers", *THEIRS):
        (folder / f"{name}.py").unlink()
    celery = Path(sys.executable).parent / "celery"
    done = run(folder, celery, "-A", "workers", "report")
    assert "taken:" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_hides_a_package_is_named_to_a_users_program(folder: Path) -> None:
    (folder / "program.py").write_text(PROGRAM)
    done = run(folder, "program.py")
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert (
        f"{folder}/producer.py hides Linewatch's own package 'producer': rename that file" in said
    )
    assert "taken:" not in done.stderr


def test_a_users_program_that_is_called_as_our_package_is_told(folder: Path) -> None:
    (folder / "producer.py").write_text(PROGRAM)
    done = run(folder, "producer.py")
    assert f"{folder}/producer.py hides Linewatch's own package" in done.stderr.splitlines()[-1]
    assert "partially initialized" not in done.stderr


def test_a_users_package_of_that_name_is_told(folder: Path) -> None:
    (folder / "producer.py").unlink()
    (folder / "producer").mkdir()
    (folder / "producer" / "__init__.py").touch()
    (folder / "program.py").write_text(f"import producer\n{PROGRAM}")  # imported already
    done = run(folder, "program.py")
    assert f"{folder}/producer hides" in done.stderr.splitlines()[-1]
    assert "rename that folder" in done.stderr


@pytest.mark.parametrize("name", ["redis", "kombu", "pydantic"])
@pytest.mark.parametrize("program", [PROGRAM, PROGRAM.replace("linewatch", "producer")])
def test_what_hides_a_package_that_the_camera_needs_is_named(
    tmp_path: Path, name: str, program: str
) -> None:
    (tmp_path / f"{name}.py").touch()
    (tmp_path / "program.py").write_text(program)
    done = run(tmp_path, "program.py")
    said = done.stderr.splitlines()[-1]
    assert f"{tmp_path}/{name}.py hides the installed package '{name}'" in said


@pytest.mark.parametrize("linked", ["files", "packages", "root", "archive"])
def test_packages_that_are_links_or_packed_are_ours(folder: Path, linked: str) -> None:
    """As uv installs with `--link-mode symlink`, and as build systems lay trees out."""
    for file in folder.iterdir():
        file.unlink()
    site = folder.parent / "site"
    packages = ("linewatch", "producer")
    if linked == "root":
        site.symlink_to(ROOT)
    elif linked == "archive":
        with ZipFile(site, "w") as archive:
            for file in (f for p in packages for f in (ROOT / p).rglob("*.py")):
                archive.write(file, file.relative_to(ROOT))
    for package in () if linked in ("root", "archive") else packages:
        if linked == "packages":
            site.mkdir(exist_ok=True)
            (site / package).symlink_to(ROOT / package)
        else:
            shutil.copytree(ROOT / package, site / package, copy_function=os.symlink)
    (folder / "program.py").write_text(PROGRAM)
    done = run(folder, "program.py", paths=(site,))
    assert done.stdout.startswith("imported producer.camera"), done.stderr


def test_files_that_hide_nothing_it_needs_are_a_users_own_affair(folder: Path) -> None:
    for name in ("producer", *THEIRS):
        (folder / f"{name}.py").unlink()
    (folder / "producer").mkdir()  # a folder of data, which hides no package
    (folder / "program.py").write_text(f"{PROGRAM}import linewatch\nprint(linewatch.__version__)\n")
    done = run(folder, "program.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("imported producer.camera")
