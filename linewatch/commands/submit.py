"""`linewatch submit`: hand pictures over and, by default, wait for their verdicts."""

from __future__ import annotations

import json
import time
from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from linewatch.errors import SpoolFullError, SubmissionError
from linewatch.settings import get_settings
from producer.camera import Camera
from producer.contract import Receipt
from producer.inbox import Inbox
from producer.names import PictureNames, pictures_in
from producer.spool import Spool

_POLL_S = 0.05
_TAKE_OVER_S = 5.0  # without --wait: how long the queue may take to accept the pictures


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--line", required=True, help="The production line.")
@click.option("--camera", required=True, help="The camera on that line.")
@click.option("--product", required=True, help="What the pictures show.")
@click.option("--part", help="The part's serial number, where all pictures show one part.")
@click.option("--lot", help="The lot the parts belong to.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Wait for the verdicts.")
@click.option("--timeout", type=click.FloatRange(min=0), help="Wait so many seconds at most.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write the outcome here."
)
@click.option("--spool", type=click.Path(path_type=Path), help="Another spool file.")
def command(
    paths: tuple[Path, ...],
    line: str,
    camera: str,
    product: str,
    part: str | None,
    lot: str | None,
    wait: bool,
    timeout: float | None,
    json_file: Path | None,
    spool: Path | None,
) -> int:
    """Hand pictures over for inspection; a folder stands for the pictures in and beneath it.

    Ends with 0 when every picture has its verdict (with --no-wait: is kept for sending), with 1
    when some have none in time: they stay in the spool and are sent on by the next command that
    uses it, or by `linewatch spool flush`.
    """
    files = _files(paths)
    with Camera(line, camera, product, spool=spool, settings=get_settings()) as source:
        inbox = Inbox(source.spool)
        ids = {_submit(source, file, part, lot): file for file in _progress(files, "accepted")}
        receipts = _receipts(source, inbox, set(ids), timeout) if wait else {}
        if not wait:
            source.wait_sent(_TAKE_OVER_S if timeout is None else timeout)
        waiting = source.spool.queued()
        trouble = source.status().sender.trouble
    _summary(len(ids), receipts, waiting, trouble)
    if json_file:
        text = json.dumps(_outcome(ids, receipts), indent=2, ensure_ascii=False)
        json_file.write_text(text + "\n", encoding="utf-8")
    return int(wait and len(receipts) < len(ids))


def _files(paths: tuple[Path, ...]) -> list[Path]:
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise SubmissionError(
            f"nothing was submitted: no such file or folder: {', '.join(missing)}"
        )
    files = list(pictures_in(paths, PictureNames()))
    if not files:
        raise SubmissionError(f"there are no pictures in {', '.join(map(str, paths))}")
    return files


def _submit(camera: Camera, file: Path, part: str | None, lot: str | None) -> UUID:
    while True:
        try:
            return camera.submit(file, part=part, lot=lot)
        except SpoolFullError as error:
            if camera.spool.limits.when_full != "block" or camera.status().sender.trouble:
                raise  # no room will come by itself
            click.echo(f"waiting: {error}", err=True)


def _progress(files: list[Path], what: str) -> Any:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(files, what, console=console, disable=not console.is_terminal)


def _receipts(
    camera: Camera, inbox: Inbox, ids: set[UUID], timeout: float | None
) -> dict[UUID, Receipt]:
    """The receipts of these pictures, as far as they come in time."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    found: dict[UUID, Receipt] = {}
    deadline = None if timeout is None else time.monotonic() + timeout
    said = None
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("judged", total=len(ids))
        while len(found) < len(ids) and (deadline is None or time.monotonic() < deadline):
            found |= {r.id: r for r in inbox.new() if r.id in ids}
            progress.update(task, completed=len(found))
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


def _summary(
    accepted: int, receipts: dict[UUID, Receipt], waiting: int, trouble: str | None
) -> None:
    verdicts = Counter(str(receipt.verdict) for receipt in receipts.values())
    parts = [f"{accepted} accepted", *(f"{n} {v}" for v, n in sorted(verdicts.items()))]
    if without := accepted - len(receipts):
        parts.append(f"{without} without a verdict yet")
    click.echo(", ".join(parts))
    if waiting:
        reason = f" ({trouble})" if trouble else ""
        click.echo(
            f"{waiting} wait in the spool{reason}; `linewatch spool flush` sends them", err=True
        )


def _outcome(ids: dict[UUID, Path], receipts: dict[UUID, Receipt]) -> dict[str, Any]:
    return {
        "accepted": len(ids),
        "receipts": len(receipts),
        "verdicts": Counter(str(receipt.verdict) for receipt in receipts.values()),
        "pictures": [
            {
                "id": str(id_),
                "path": str(path),
                "receipt": receipts[id_].model_dump(mode="json", exclude_none=True)
                if id_ in receipts
                else None,
            }
            for id_, path in ids.items()
        ],
    }
