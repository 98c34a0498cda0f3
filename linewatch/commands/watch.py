"""`linewatch watch`: hand over every picture that appears in a folder, until Ctrl-C."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections import Counter
from pathlib import Path

import click

from linewatch.commands._deadline_command import DeadlineCommand
from linewatch.commands._numbers import DAY_S, Number
from linewatch.commands._output import say
from linewatch.commands._picture_lines import (
    accepted_json,
    accepted_text,
    deadline_json,
    deadline_text,
    verdict_json,
    verdict_text,
)
from linewatch.errors import SubmissionError
from linewatch.settings import get_settings
from producer.camera import Camera
from producer.deadline_book import MissedDeadline
from producer.folder.wholeness import Patience
from producer.inbox import KeptReceipt
from producer.names import PICTURES, PictureNames
from producer.submission import Station
from producer.watch import FolderWatch, HandedOver, WatchOptions

_DEFAULT = Patience()
_SECONDS = Number(0.05, DAY_S)


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
    type=_SECONDS,
    default=_DEFAULT.settle_s,
    show_default=True,
    help="Seconds without a change after which a file that looks whole is sent.",
)
@click.option(
    "--settle-unsure",
    type=_SECONDS,
    default=_DEFAULT.unsure_s,
    show_default=True,
    help="The same, where neither content nor kernel tells whether it is whole.",
)
@click.option(
    "--patience",
    type=_SECONDS,
    default=_DEFAULT.unfinished_s,
    show_default=True,
    help="The same, where bytes are missing or a program has it open for writing.",
)
@click.option("--polling", is_flag=True, help="Do not rely on inotify (network folders).")
@click.option("--spool", type=click.Path(path_type=Path), help="Another spool file.")
@click.option(
    "--deadline", type=_SECONDS, help="Seconds from capture to verdict that a part may take."
)
@click.option(
    "--on-deadline",
    "deadline_command",
    help="Run this command for each part without a verdict by its deadline.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: one object a line; everything else goes to standard error.",
)
def command(
    folder: Path,
    line: str,
    camera: str,
    product: str,
    patterns: tuple[str, ...],
    part_pattern: str | None,
    recursive: bool,
    settle: float,
    settle_unsure: float,
    patience: float,
    polling: bool,
    spool: Path | None,
    deadline: float | None,
    deadline_command: str | None,
    form: str,
) -> None:
    """Hand over every picture that appears in FOLDER, and those that came while nobody watched.

    A picture that is still being written is not sent. Hidden and temporary names (.tmp, .part, ~)
    are left alone; a rename into place is seen at once. Each picture is one line when it is
    accepted and one when its verdict is there, both with its path and id.

    With --deadline a part without a verdict in time is a line as well, whatever Redis and the
    workers do; --on-deadline runs a command for it (DEADLINE_PART and others say which), such as
    one that drives a gate. A verdict that comes later is marked late.
    """
    if not folder.is_dir():
        raise SubmissionError(f"{folder} is not a folder; make it, or name another")
    options = WatchOptions(
        names=PictureNames(patterns or PICTURES),
        recursive=recursive,
        patience=Patience(settle, settle_unsure, patience),
        polling=True if polling else None,
        part_pattern=_compiled(part_pattern),
    )
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("watchfiles").setLevel(logging.WARNING)
    if deadline_command is not None and deadline is None:
        raise click.UsageError("--on-deadline needs --deadline: after how many seconds?")
    station = Station.checked(line, camera, product)
    run = DeadlineCommand(deadline_command, station).run if deadline_command else None
    counts: Counter[str] = Counter()
    as_json = form == "json"

    def told(receipt: KeptReceipt) -> None:
        counts[str(receipt.verdict)] += 1
        say(verdict_json(receipt) if as_json else verdict_text(receipt))

    def accepted(picture: HandedOver) -> None:
        counts["accepted"] += 1
        say(accepted_json(picture) if as_json else accepted_text(picture))

    def missed(part: MissedDeadline) -> None:
        if run:
            run(part)  # first: what is printed may have to wait
        counts["deadline"] += 1
        say(deadline_json(part) if as_json else deadline_text(part))

    with Camera(
        line,
        camera,
        product,
        spool,
        get_settings(),
        on_receipt=told,
        deadline_s=deadline,
        on_deadline=missed if deadline else None,
    ) as source:
        click.echo(f"watching {folder}; Ctrl-C ends", err=as_json)
        FolderWatch(folder, source, options, on_accepted=accepted).run(stop)
    summary = ", ".join(f"{count} {what}" for what, count in counts.items())
    click.echo(summary or "nothing came", err=as_json)


def _compiled(pattern: str | None) -> re.Pattern[str] | None:
    if pattern is None:
        return None
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise click.BadParameter(f"'{pattern}' is not a regular expression: {error}") from None
    if not {"part", "lot"} & compiled.groupindex.keys():
        raise click.BadParameter(f"'{pattern}' names no group (?P<part>...) or (?P<lot>...)")
    return compiled
