"""`linewatch dead-letters`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from linewatch.commands._numbers import YEARS_DAYS, Number
from linewatch.commands._output import FORMATS, say, write_rows
from linewatch.errors import DeadLetterError
from linewatch.os_user import os_user

if TYPE_CHECKING:
    from db.inspections.dead_letters import Letter
_COLUMNS = ("letter", "received_at", "reason", "state", "picture", "detail")


@click.group()
def command() -> None:
    """List, show, requeue and purge what could not be judged."""


@command.command("list")
@click.option("--all", "all_", is_flag=True, help="Also those that somebody saw to.")
@click.option("--reason", help="Only those with this reason code.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1))
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(all_: bool, reason: str | None, limit: int, format_: str) -> None:
    """List the letters, newest first. A letter is a message, or one picture of it."""
    from db.inspections import dead_letters, requeues
    from db.session import default_engine

    engine = default_engine()
    awaited = requeues.awaited_letters(engine)
    rows: list[dict[str, str | int | None]] = [
        {
            "letter": letter.id,
            "received_at": f"{letter.received_at:%Y-%m-%d %H:%M:%S} UTC",
            "reason": letter.reason,
            "state": _state(letter, awaited),
            "picture": None if letter.image_id is None else str(letter.image_id),
            "detail": letter.detail,
        }
        for letter in dead_letters.newest(engine, limit=limit, reason=reason, unsettled=not all_)
    ]
    write_rows(rows, format_, columns=_COLUMNS, title="Dead letters", empty="no dead letters")


@command.command()
@click.argument("letter", type=int)
def show(letter: int) -> None:
    """Print one letter, and the message it keeps."""
    found = _get(letter)
    for line in (
        f"letter {found.id} · {found.reason} · {found.received_at:%Y-%m-%d %H:%M:%S} UTC",
        f"task {found.task_id or 'unknown'} · picture {found.image_id or '(whole message)'}",
        found.detail,
        found.payload,
    ):
        say(line)


@command.command()
@click.argument("letters", type=int, nargs=-1, required=True)
@click.option(
    "--trust", is_flag=True, help="Also a message that nobody vouches for: no good signature."
)
def requeue(letters: tuple[int, ...], trust: bool) -> None:
    """Send letters again, with the ids they had.

    A picture keeps its dead_letter row until its new verdict replaces it. Until then `list` says
    'sent again, awaited', and you may requeue it once more should the queue have lost it.
    """
    from db.session import default_engine
    from linewatch import requeue as requeueing
    from linewatch.settings import get_settings

    for found in [_get(letter) for letter in letters]:
        done = requeueing.requeue(
            default_engine(), get_settings(), found, by=os_user(), trust=trust
        )
        click.echo(
            f"letter {found.id}: {done.pictures} pictures sent again, "
            f"{done.replacing} of them to replace a dead letter"
        )


@command.command()
@click.option(
    "--older-than",
    "days",
    type=Number(0, YEARS_DAYS),
    required=True,
    metavar="DAYS",
    help="Only letters of before.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(days: float, yes: bool) -> None:
    """Delete letters and the messages they keep. The pictures' rows stay; it is audited."""
    from db.inspections import dead_letters
    from db.session import transaction

    before = datetime.now(UTC) - timedelta(days=days)
    if not yes:
        click.confirm(
            f"Delete the letters received before {before:%Y-%m-%d %H:%M} UTC?", abort=True
        )
    with transaction() as connection:
        count = dead_letters.purge(connection, before=before, by=os_user())
    click.echo(f"{count} letters deleted")


def _get(letter: int) -> Letter:
    from db.inspections import dead_letters
    from db.session import default_engine

    found = dead_letters.get(default_engine(), letter)
    if found is None:
        raise DeadLetterError(f"there is no letter {letter}; see `linewatch dead-letters list`")
    return found


def _state(letter: Letter, awaited: dict[int, int]) -> str:
    if letter.id in awaited:
        return "sent again, awaited"
    if letter.requeued_at is not None:
        return "sent again, settled"
    return "kept" if letter.addressed_at is None else "addressed"
