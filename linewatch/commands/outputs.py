"""`linewatch outputs`: tell the lines their verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.errors import ConfigurationError
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from outputs.file import OutputsFile

_RECEIVER = click.argument("receiver", metavar="LINE/NAME")


@click.group()
def command() -> None:
    """Tell the lines their verdicts: run, list, test, pause, replay.

    LINEWATCH_OUTPUTS_FILE names the file that says which receivers each line has.
    """


@command.command("run")
@click.option("--loglevel", default="INFO", show_default=True)
def run(loglevel: str) -> None:
    """Tell every receiver, until Ctrl-C. A second one waits as a standby."""
    import logging

    from linewatch.commands._database import opened
    from linewatch.settings import get_settings
    from outputs.program import run_outputs

    logging.basicConfig(level=loglevel.upper(), format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each URL, query and all
    logging.getLogger("alembic").setLevel(logging.WARNING)  # ten lines that nobody asked for
    run_outputs(get_settings(), opened(), _file())


@command.command("list")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
@click.option("--check", is_flag=True, help="Exit code 1 if nobody tells a receiver of the file.")
def list_(format_: str, check: bool) -> None:
    """Every receiver: what it was not told yet, how it is, and how long its line waits."""
    from linewatch.commands._database import opened
    from outputs.status import COLUMNS, STRAY, UNTOLD, receivers_shown

    rows = receivers_shown(opened(), _file_if_named(missing_ok=not check))
    write_rows(
        rows,
        format_,
        columns=COLUMNS,
        title="Receivers",
        empty="no receiver yet; LINEWATCH_OUTPUTS_FILE names the file that says which there are",
    )
    if check and any(row["state"] in UNTOLD and row["kind"] != STRAY for row in rows):
        raise click.exceptions.Exit(1)


@command.command("test")
@click.argument("receiver", metavar="[LINE/NAME]", required=False)
def test(receiver: str | None) -> None:
    """Reach a receiver, or all of the file, without telling it a verdict.

    One that `outputs run` tells at this moment is not disturbed: it is said how that goes.
    """
    from linewatch.commands._database import opened
    from outputs.trial import tried

    file = _file()
    chosen = [
        (one, file.place(name))
        for name, line in sorted(file.lines.items())
        for one in line.receivers
        if receiver in (None, f"{name}/{one.name}")
    ]
    if not chosen:
        raise ConfigurationError(f"the file of outputs has no receiver {receiver!r}")
    results = [tried(opened(), options, place) for options, place in chosen]
    for good, words in results:
        say(words, err=not good)
    if not all(good for good, _ in results):
        raise click.exceptions.Exit(1)


@command.command("pause")
@_RECEIVER
@click.option("--resume", is_flag=True, help="Tell it again, from where it was.")
def pause(receiver: str, resume: bool) -> None:
    """Tell a receiver nothing, from about a second from now."""
    from db.outbox.cursors import pause as pause_cursor
    from outputs.changes import change

    by = None if resume else os_user()
    action = "outputs.resume" if resume else "outputs.pause"
    change(receiver, action, lambda c, line, name: pause_cursor(c, line, name, by))
    say(f"{receiver}: {'told again' if resume else 'paused; --resume ends it'}")


@command.command("replay")
@_RECEIVER
@click.option("--after", type=click.IntRange(min=0), help="Tell what follows this number.")
@click.option("--since", metavar="TIME", help="Tell what was committed since, as in ISO 8601.")
@click.option("--skip", is_flag=True, help="Tell nothing of what there is so far.")
def replay(receiver: str, after: int | None, since: str | None, skip: bool) -> None:
    """Tell a receiver again, or leave out what it cannot take.

    What is told again has the ids that it had. What is purged does not come again.
    """
    from db.outbox.cursors import replay as replay_cursor
    from outputs.changes import change, number_of

    if (after is not None) + (since is not None) + skip != 1:
        raise click.UsageError("say one of --after NUMBER, --since TIME, --skip")
    change(
        receiver,
        "outputs.replay",
        lambda c, line, name: replay_cursor(c, line, name, number_of(c, line, after, since)),
    )
    say(f"{receiver}: is told what follows")


@command.command("forget")
@_RECEIVER
def forget(receiver: str) -> None:
    """Forget a receiver that is not in the file any more.

    Its line's outbox goes with the last one.
    """
    from db.outbox.cursors import forget as forget_cursor
    from outputs.changes import change

    line, _, name = receiver.rpartition("/")
    file = _file_if_named(missing_ok=True)
    options = None if file is None else file.lines.get(line)
    if options is not None and name in {one.name for one in options.receivers}:
        raise ConfigurationError(f"{receiver} is in the file of outputs: take it out first")
    change(receiver, "outputs.forget", forget_cursor)
    say(f"{receiver}: forgotten")


def _file_if_named(*, missing_ok: bool) -> OutputsFile | None:
    """`missing_ok`: None also where its place is named and nobody has written it, as in Compose."""
    from linewatch.settings import get_settings

    path = get_settings().outputs_file
    return None if path is None or (missing_ok and not path.exists()) else _file()


def _file() -> OutputsFile:
    from linewatch.settings import get_settings
    from outputs.file import load_outputs

    path = get_settings().outputs_file
    if path is None:
        raise ConfigurationError(
            "LINEWATCH_OUTPUTS_FILE is not set: it names the file of the lines' receivers; "
            "see docs/line.md"
        )
    return load_outputs(path)
