"""`linewatch spool`: what the camera side still holds, and how to get it out."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import click

from linewatch.commands._numbers import YEARS_S, Number
from linewatch.commands._picture_lines import NO_VERDICT_YET, verdict_json, verdict_text
from linewatch.errors import SpoolError
from linewatch.settings import get_settings
from producer.inbox import kept_receipts
from producer.sender import Sender
from producer.spool import Spool, SpoolStatus

_POLL_S = 0.1

_spool_option = click.option(
    "--spool", "path", type=click.Path(path_type=Path), help="One spool file [all of this machine]."
)


@click.group()
def command() -> None:
    """Look after the camera side's spool."""


@command.command()
@_spool_option
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table")
def status(path: Path | None, form: str) -> None:
    """Say what each spool holds: counts, oldest age, what was dropped, producer id."""
    found = [_closing(spool) for spool in _spools(path)]
    if form == "json":
        click.echo(json.dumps([_as_json(s) for s in found], indent=2))
        return
    for s in found:
        age = "-" if s.oldest_age_s is None else f"{s.oldest_age_s:.0f} s"
        click.echo(
            f"{s.path}\n  queued {s.queued}, sent without a receipt {s.sent}, oldest {age}, "
            f"dropped {s.dropped}, {s.bytes} bytes, producer {s.producer}"
        )


@command.command()
@_spool_option
@click.option(
    "--timeout", type=Number(0, YEARS_S), default=60.0, show_default=True, help="Seconds."
)
@click.option("--wait/--no-wait", default=False, show_default=True, help="Also for the receipts.")
def flush(path: Path | None, timeout: float, wait: bool) -> int:
    """Send everything now. Ends with 1 if something is left after the timeout."""
    deadline = time.monotonic() + timeout
    left = 0
    for spool in _spools(path):
        left += _flush(spool, deadline, wait)
        spool.close()
    return int(left > 0)


@command.command()
@_spool_option
def export(path: Path | None) -> None:
    """Write what each spool holds and has dropped, one JSON object a line."""
    for spool in _spools(path):
        for row in spool.export():
            click.echo(json.dumps({"spool": str(spool.path), **row}, ensure_ascii=False))
        spool.close()


@command.command()
@_spool_option
@click.argument("ids", nargs=-1, type=click.UUID)
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
def receipts(path: Path | None, ids: tuple[UUID, ...], form: str) -> int:
    """Say what became of pictures: those with these IDS, or all that the spools keep.

    Ends with 3 if a picture has no verdict yet. Receipts come while a program sends, such as
    `linewatch spool flush --wait`.
    """
    missing = dict.fromkeys(ids, "is not known to any spool here")
    for spool in _spools(path):
        for receipt in kept_receipts(spool, frozenset(ids)):
            click.echo(verdict_json(receipt) if form == "json" else verdict_text(receipt))
            missing.pop(receipt.id, None)
        for id_ in missing:
            if not spool.holds_none([id_]):
                missing[id_] = f"waits in {spool.path}: no verdict yet"
        spool.close()
    for id_, state in missing.items():
        click.echo(f"{id_} {state}", err=True)
    return NO_VERDICT_YET if missing else 0


def _spools(path: Path | None) -> Iterator[Spool]:
    settings = get_settings()
    paths = [path] if path else sorted(settings.spool_folder.glob("*.db"))
    if not paths:
        raise SpoolError(
            f"there is no spool in {settings.spool_folder}; has anything been submitted?"
        )
    for each in paths:
        if not each.is_file():
            raise SpoolError(f"there is no spool {each}; `linewatch spool status` lists them")
        yield Spool(each)


def _closing(spool: Spool) -> SpoolStatus:
    status = spool.status()
    spool.close()
    return status


def _flush(spool: Spool, deadline: float, wait: bool) -> int:
    """Drain one spool; how many pictures are left."""
    remaining = spool.count if wait else spool.queued
    sender = Sender(spool.path, get_settings())
    sender.start()
    while remaining() and time.monotonic() < deadline:
        sender.check()
        time.sleep(_POLL_S)
    trouble = sender.state.trouble
    sender.stop()
    left = remaining()
    state = f"{left} left" + (f": {trouble}" if trouble else "") if left else "nothing left"
    click.echo(f"{spool.path}: {state}")
    return left


def _as_json(status: SpoolStatus) -> dict[str, object]:
    return {
        "path": str(status.path),
        "producer": status.producer,
        "queued": status.queued,
        "sent": status.sent,
        "bytes": status.bytes,
        "oldest_age_s": status.oldest_age_s,
        "dropped": status.dropped,
    }
