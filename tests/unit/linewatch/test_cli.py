"""The command line: every command has help, is listed, and fails in one sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from linewatch.cli import COMMANDS, cli

COMMANDS_DIR = Path(sys.modules["linewatch.cli"].__file__ or "").parent / "commands"


def test_every_module_is_a_listed_command() -> None:
    modules = {
        p.stem.replace("_", "-") for p in COMMANDS_DIR.glob("*.py") if not p.stem.startswith("_")
    }
    assert modules == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_is_there_and_agrees_with_the_list(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    first = (command.help or "").split("\n")[0]
    assert first.startswith(COMMANDS[name].removesuffix("."))  # the list may be shorter
    assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0


# Their names and defaults say all.
PLAIN = {
    *("--format", "--limit", "--loglevel", "--address"),
    *("--port", "--flower-port", "--console-port"),
}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_each_option_says_what_it_is(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    silent = [
        f"{path} {option.opts[0]}"
        for path, option in options_of(command, name)
        if not option.help and not option.hidden and option.opts[0] not in PLAIN
    ]
    assert not silent


def options_of(command: click.Command, path: str) -> Iterator[tuple[str, click.Option]]:
    yield from ((path, one) for one in command.params if isinstance(one, click.Option))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from options_of(found, f"{path} {name}")


@pytest.mark.parametrize("said", ["nan", "inf", "-inf", "1e308"])
def test_numbers_that_no_clock_can_do_with_are_refused(said: str) -> None:
    taken = []
    for path, option in _options():
        if isinstance(option.type, click.types.FloatParamType | click.FloatRange):
            try:
                option.process_value(click.Context(cli), said)
            except click.BadParameter:
                continue
            taken.append(f"{path} {option.opts[0]}")
    assert taken == []


def _options() -> list[tuple[str, click.Option]]:
    """Each command's options, with how the command is called."""
    found: list[tuple[str, click.Option]] = []
    rest = [(name, cli.get_command(click.Context(cli), name)) for name in COMMANDS]
    while rest:
        path, command = rest.pop()
        assert command is not None
        found += [(path, one) for one in command.params if isinstance(one, click.Option)]
        if isinstance(command, click.Group):
            rest += [(f"{path} {name}", child) for name, child in command.commands.items()]
    assert len(found) > 100
    return found


def test_the_top_help_imports_no_command() -> None:
    code = (
        "import sys; sys.argv = ['linewatch', '--help']\n"
        "from linewatch.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'celery', 'sqlalchemy', 'pydantic', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_a_person_can_mend_is_one_sentence_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "worker", "--queues", "inspct"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "no queue is called inspct" in done.stderr
    assert "Traceback" not in done.stderr


def test_odd_names_are_one_sentence_that_can_be_read(tmp_path: Path) -> None:
    def run(*arguments: str | bytes) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "linewatch", *arguments],
            env={**os.environ, "LINEWATCH_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("db", "upgrade").returncode == 0
    other = run("audit-sample", "list", "--product", "caf\u00e9".encode("latin-1"))
    assert other.returncode == 2
    assert other.stderr == "linewatch: 'caf\\udce9' is no text in UTF-8; write it in UTF-8\n"
    long = run("audit-sample", "list", "--product", "x" * 4096)
    assert long.returncode == 2
    assert f"no product is called '{'x' * 290}" in long.stderr
    assert len(long.stderr) < 500


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("arguments", [("schema",), ("--version",)])  # long output, and short
def test_a_full_disk_is_one_sentence(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "linewatch", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("linewatch: the output cannot be written: No space left on device")
