"""`linewatch submit`: hand pictures over and, by default, wait for their verdicts."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import click

from linewatch.commands._new_file import NewFile
from linewatch.commands._numbers import YEARS_S, Number
from linewatch.commands._picture_lines import NO_VERDICT_YET, verdict_text
from linewatch.commands._picture_sources import picture_sources
from linewatch.errors import SpoolFullError
from linewatch.settings import get_settings
from producer.camera import Camera
from producer.contract import Purpose
from producer.inbox import Inbox, KeptReceipt, kept_receipts
from producer.spool import Spool

_POLL_S = 0.05
_NO_NEWS_S = 120.0  # then it is not waited for verdicts any longer
_TAKE_OVER_S = 5.0  # without --wait: how long the queue may take to accept the pictures


@click.command()
@click.argument("pictures", nargs=-1, required=True)
@click.option("--line", required=True, help="The production line.")
@click.option("--camera", required=True, help="The camera on that line.")
@click.option("--product", required=True, help="What the pictures show.")
@click.option("--part", help="The part's serial number, where all pictures show one part.")
@click.option("--lot", help="The lot the parts belong to.")
@click.option("--pass-number", type=int, help="The parts' pass through the line, from 1.")
@click.option("--view", "views", multiple=True, help="A camera that the part needs, to be whole.")
@click.option("--work-order", help="What the parts are made for.")
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    help="What the pictures are taken for.",
)
@click.option("--trace-id", help="W3C trace id of the pictures.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the verdicts.")
@click.option(
    "--timeout",
    type=Number(0, YEARS_S),
    show_default=f"{_NO_NEWS_S:g}; {_TAKE_OVER_S:g} with --no-wait",
    help="Wait no longer once no verdict came for so many seconds.",
)
@click.option("--json", "json_file", type=NewFile(), help="Write the outcome here.")
@click.option("--spool", type=click.Path(path_type=Path), help="Another spool file.")
def command(
    pictures: tuple[str, ...],
    line: str,
    camera: str,
    product: str,
    part: str | None,
    lot: str | None,
    pass_number: int | None,
    views: tuple[str, ...],
    work_order: str | None,
    purpose: str | None,
    trace_id: str | None,
    wait: bool,
    timeout: float | None,
    json_file: Path | None,
    spool: Path | None,
) -> int:
    """Hand pictures over for inspection: files, folders, or s3://bucket/key.

    A folder stands for the pictures in and beneath it. An object of an S3 server is read by the
    worker alone; LINEWATCH_S3_BUCKETS there must name its bucket.

    Prints a line for each verdict: path, id, class, confidence, and the reason where there is one.
    Ends with 0 when every picture has its verdict (with --no-wait: is kept for sending), with 3
    when some have none in time: they stay in the spool and are sent on by the next command that
    uses it, or by `linewatch spool flush`.
    """
    files = picture_sources(pictures)
    with Camera(line, camera, product, spool=spool, settings=get_settings()) as source:
        inbox = Inbox(source.spool)
        said = {
            "part": part,
            "lot": lot,
            "pass_number": pass_number,
            "views": views or None,
            "work_order": work_order,
            "purpose": purpose,
            "trace_id": trace_id,
        }
        ids = {_submit(source, file, said): file for file in _progress(files, "accepted")}
        patience_s = _patience_s(timeout, wait=wait)
        receipts = _receipts(source, inbox, set(ids), patience_s) if wait else {}
        if not wait:
            source.wait_sent(patience_s)
        left = _Left.of(source, [id_ for id_ in ids if id_ not in receipts])
    for id_, file in ids.items():
        if id_ in receipts:
            click.echo(verdict_text(receipts[id_], file))
    _summary(ids, receipts, left)
    if wait:
        _say_what_is_missing(left, patience_s)
    if json_file:
        text = json.dumps(_outcome(ids, receipts), indent=2, ensure_ascii=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    return NO_VERDICT_YET if wait and len(receipts) < len(ids) else 0


def _submit(camera: Camera, file: Path | str, said: Mapping[str, Any]) -> UUID:
    while True:
        try:
            return camera.submit(file, **said)
        except SpoolFullError as error:
            if camera.spool.limits.when_full != "block" or camera.status().sender.trouble:
                raise  # no room will come by itself
            click.echo(f"waiting: {error}", err=True)


def _progress(files: list[Path | str], what: str) -> Any:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(files, what, console=console, disable=not console.is_terminal)


def _receipts(
    camera: Camera, inbox: Inbox, ids: set[UUID], timeout: float
) -> dict[UUID, KeptReceipt]:
    """The receipts of these pictures, until none came for `timeout` seconds."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    found: dict[UUID, KeptReceipt] = {}
    last = time.monotonic()
    said = None
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("judged", total=len(ids))
        while len(found) < len(ids) and time.monotonic() < last + timeout:
            if new := {r.id: r for r in inbox.new() if r.id in ids}:
                found |= new
                last = time.monotonic()
            progress.update(task, completed=len(found))
            camera.check()
            trouble = camera.status().sender.trouble
            if trouble and trouble != said:
                console.print(f"[yellow]waiting:[/yellow] {trouble}")
            said = trouble
            if not found.keys() >= ids and _gone(camera.spool, ids - found.keys()):
                found |= {r.id: r for r in inbox.new() if r.id in ids}
                break
            time.sleep(_POLL_S)
    return found


def _gone(spool: Spool, ids: set[UUID]) -> bool:
    """Whether the spool holds none of these any more: dropped, no receipt will come."""
    return spool.count() == 0 or spool.holds_none(ids)


class _Left(NamedTuple):
    """What has no verdict: what the spool holds, how much of it unsent and why, what it dropped."""

    spool: Path
    held: list[UUID]
    dropped: list[UUID]
    queued: int
    trouble: str | None

    @classmethod
    def of(cls, camera: Camera, ids: list[UUID]) -> _Left:
        """As the camera's spool is now."""
        spool = camera.spool
        gone = frozenset(id_ for id_ in ids if spool.holds_none([id_]))
        judged = {receipt.id for receipt in kept_receipts(spool, gone)} if gone else set()
        held = [id_ for id_ in ids if id_ not in gone]
        dropped = [id_ for id_ in ids if id_ in gone - judged]
        return cls(spool.path, held, dropped, spool.queued(), camera.status().sender.trouble)


def _summary(ids: dict[UUID, Path | str], receipts: dict[UUID, KeptReceipt], left: _Left) -> None:
    verdicts = Counter(str(receipt.verdict) for receipt in receipts.values())
    parts = [f"{len(ids)} accepted", *(f"{n} {v}" for v, n in sorted(verdicts.items()))]
    if without := len(ids) - len(receipts):
        parts.append(f"{without} without a verdict yet")
    click.echo(", ".join(parts))
    if left.queued:
        reason = f" ({left.trouble})" if left.trouble else ""
        click.echo(
            f"{left.queued} wait in the spool{reason}; `linewatch spool flush` sends them", err=True
        )


def _say_what_is_missing(left: _Left, patience_s: float) -> None:
    spool = left.spool
    if left.held:
        first, more = left.held[0], len(left.held) - 1
        click.echo(
            f"no verdict came for {patience_s:g} s, for picture {first}"
            + (f" and {more} more" if more else "")
            + f". Nothing is lost: the spool {spool} keeps it until a worker has judged it. "
            f"`linewatch spool flush --wait --spool {spool}` waits on, "
            f"`linewatch spool receipts --spool {spool} {first}` asks",
            err=True,
        )
    if left.dropped:
        click.echo(
            f"{len(left.dropped)} were dropped by the full spool, the first {left.dropped[0]}; "
            f"`linewatch spool export --spool {spool}` lists them",
            err=True,
        )


def _patience_s(timeout: float | None, *, wait: bool) -> float:
    if timeout is not None:
        return timeout
    return _NO_NEWS_S if wait else _TAKE_OVER_S


def _outcome(ids: dict[UUID, Path | str], receipts: dict[UUID, KeptReceipt]) -> dict[str, Any]:
    return {
        "accepted": len(ids),
        "receipts": len(receipts),
        "verdicts": Counter(str(receipt.verdict) for receipt in receipts.values()),
        "pictures": [
            {
                "id": str(id_),
                "path": str(path),
                "receipt": _plain(receipts[id_]) if id_ in receipts else None,
            }
            for id_, path in ids.items()
        ],
    }


def _plain(receipt: KeptReceipt) -> dict[str, Any]:
    return receipt.model_dump(mode="json", exclude_none=True, exclude={"path", "part", "late"})
