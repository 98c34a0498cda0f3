"""`linewatch watch`: hand over every picture that appears in a folder, until Ctrl-C."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import click

from linewatch.errors import SubmissionError
from linewatch.settings import get_settings
from producer.camera import Camera
from producer.contract import Receipt
from producer.names import PICTURES, PictureNames
from producer.watch import FolderWatch, WatchOptions


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--line", required=True, help="The production line.")
@click.option("--camera", required=True, help="The camera on that line.")
@click.option("--product", required=True, help="What the pictures show.")
@click.option("--pattern", "patterns", multiple=True, help=f"Names to take [{' '.join(PICTURES)}].")
@click.option(
    "--part-pattern", help=r"Part number from the name: 'SN(?P<part>\d+)'; also (?P<lot>)."
)
@click.option("--recursive/--flat", default=False, show_default=True, help="Sub-folders too.")
@click.option(
    "--settle",
    type=click.FloatRange(min=0.05),
    default=0.5,
    show_default=True,
    help="Seconds without a change after which a file is complete.",
)
@click.option("--polling", is_flag=True, help="Do not rely on inotify (network folders).")
@click.option("--spool", type=click.Path(path_type=Path), help="Another spool file.")
def command(
    folder: Path,
    line: str,
    camera: str,
    product: str,
    patterns: tuple[str, ...],
    part_pattern: str | None,
    recursive: bool,
    settle: float,
    polling: bool,
    spool: Path | None,
) -> None:
    """Hand over every picture that appears in FOLDER, and those that came while nobody watched.

    A picture that is still being written is not sent. Hidden and temporary names (.tmp, .part, ~)
    are left alone; a rename into place is seen at once.
    """
    if not folder.is_dir():
        raise SubmissionError(f"{folder} is not a folder; make it, or name another")
    options = WatchOptions(
        names=PictureNames(patterns or PICTURES),
        recursive=recursive,
        settle_s=settle,
        polling=True if polling else None,
        part_pattern=_compiled(part_pattern),
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    counts: Counter[str] = Counter()

    def told(receipt: Receipt) -> None:
        counts[str(receipt.verdict)] += 1
        detail = receipt.defect_class or receipt.reason or ""
        click.echo(f"{receipt.verdict:<11} {receipt.id} {detail}")

    def accepted(path: Path) -> None:
        counts["accepted"] += 1
        click.echo(f"accepted    {path}")

    with Camera(line, camera, product, spool, get_settings(), on_receipt=told) as source:
        click.echo(f"watching {folder}; Ctrl-C ends")
        FolderWatch(folder, source, options, on_accepted=accepted).run(stop)
    click.echo(", ".join(f"{count} {what}" for what, count in counts.items()) or "nothing came")


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise click.BadParameter(f"{pattern!r} is not a regular expression: {error}") from None
    if not {"part", "lot"} & compiled.groupindex.keys():
        raise click.BadParameter(f"{pattern!r} names no group (?P<part>...) or (?P<lot>...)")
    return compiled
