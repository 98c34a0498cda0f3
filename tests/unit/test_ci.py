"""What CI does before and beside the tests: the system's packages, and skips that are failures."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


# Installs by making the programs; `fails` or `hangs` stands for a machine without a network.
APT = """#!/bin/sh
echo "$*" >> {folder}/asked
case "$*" in
*update*) {update} ;;
*--no-download*)
    for name in chromium {programs}; do echo > {folder}/$name; /bin/chmod +x {folder}/$name; done ;;
esac
"""


def install(folder: Path, update: str, programs: str) -> tuple[int, str, list[str]]:
    """`.ci/install` where apt-get does this: exit code, output, and what it asked of apt-get."""
    apt = folder / "apt-get"
    apt.write_text(APT.format(folder=folder, update=update, programs=programs))
    apt.chmod(0o755)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "install"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    asked = folder / "asked"
    return done.returncode, done.stdout, asked.read_text().splitlines() if asked.exists() else []


root = pytest.mark.skipif(os.geteuid() != 0, reason="only root installs")


@root
def test_what_is_missing_is_installed_and_only_that(tmp_path: Path) -> None:
    programs = "jq mosquitto openssl pgbouncer postgres redis-server redis-cli"
    (tmp_path / "jq").write_text("")
    (tmp_path / "jq").chmod(0o755)
    code, said, asked = install(tmp_path, ":", programs)
    assert (code, said.count("\n")) == (0, 1), said
    assert [words.split()[1] for words in asked] == ["update", "install", "install"]
    assert all("chromium" in words and " jq" not in words for words in asked[1:])


@root
def test_without_a_network_it_says_what_will_not_run(tmp_path: Path) -> None:
    code, said, asked = install(tmp_path, "echo 'E: no such host' >&2; exit 100", "")
    assert code == 1
    assert "no chromium (pages, in a browser): the tests that use it are skipped" in said
    assert "`apt-get update` ended with 100 and said: E: no such host" in said
    assert len(asked) == 1


@root
def test_a_package_without_its_program_is_no_success(tmp_path: Path) -> None:
    code, said, _ = install(tmp_path, ":", "jq")
    assert code == 1
    assert "no openssl (" in said
    assert "no jq" not in said


TESTS = """
import pytest

@pytest.mark.browser
def test_page(): pytest.skip("no Chromium on PATH")

@pytest.mark.line
@pytest.mark.skipif(True, reason="no mosquitto")
def test_broker(): pass

@pytest.mark.browser
def test_runs(): pass

def test_other(): pytest.skip("no GPU here")
"""


@pytest.mark.parametrize(("complete", "skipped"), [("1", 1), ("", 3)])
def test_where_all_is_installed_a_browser_or_line_test_is_not_skipped(
    tmp_path: Path, complete: str, skipped: int
) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  browser:\n  line:\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.complete"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "LINEWATCH_TEST_COMPLETE": complete},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == (1 if complete else 0), done.stdout
    assert f"1 passed, {skipped} skipped" in done.stdout
    for kind, why in (("browser", "no Chromium on PATH"), ("line", "no mosquitto")):
        said = f"a {kind} test may not be skipped here: Skipped: {why}"
        assert (said in done.stdout) == bool(complete), done.stdout
