"""`linewatch demo`."""

from __future__ import annotations

import json
import time
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._new_file import NewFile
from linewatch.console_address import USUAL_PORT

if TYPE_CHECKING:
    from linewatch.demo.run import DemoResult
    from linewatch.demo.sources import PictureSource
    from linewatch.settings import Settings

_PORT = click.IntRange(1, 65535)


@click.command()
@click.option(
    "--parts", default=300, show_default=True, type=click.IntRange(1), help="Pictures of the shift."
)
@click.option(
    "--first",
    "first_per_class",
    default=30,
    show_default=True,
    type=click.IntRange(3),
    help="Pictures a class that are labelled for the first model.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Inspect these pictures (a sub-folder a class) instead of simulated ones.",
)
@click.option(
    "--json",
    "json_path",
    type=NewFile(),
    help="Write what came of it to this file.",
)
@click.option("--seed", default=0, show_default=True, help="Of the simulated shift.")
@click.option("--flower-port", type=_PORT, help="Default: a free one.")
@click.option("--console-port", default=USUAL_PORT, show_default=True, type=_PORT)
@click.option("--stay", is_flag=True, help="Leave everything running until Ctrl-C.")
def command(
    parts: int,
    first_per_class: int,
    images: Path | None,
    json_path: Path | None,
    seed: int,
    flower_port: int | None,
    console_port: int,
    stay: bool,
) -> None:
    """Inspect a simulated shift (or a folder of pictures) from camera to report.

    Starts a private Redis (unless LINEWATCH_REDIS_URL is set), workers, beat and Flower; sends
    first pictures through the queue, labels them, trains and promotes a first model, then
    streams a shift. Says at the end how to open the console on it; --stay keeps the console and the
    notifier up, which shows alerts there and tells nobody. Ends non-zero if a picture is
    unaccounted for.
    """
    from rich.console import Console

    from linewatch.extras import need

    need("torch", "redbeat", "flower", *(["fastapi"] if stay else []))
    from linewatch.demo.guest import opened_by, sign_in_link
    from linewatch.demo.report import print_report
    from linewatch.demo.run import Demo
    from linewatch.demo.screen import Screen
    from linewatch.plant import start_plant
    from linewatch.services import ServiceGroup, free_port, need_port

    if stay:
        need_port(console_port, "--console-port")
    began = time.monotonic()
    console = Console()
    settings, source = _prepare(parts, first_per_class, images, seed)
    console.print(f"[bold]Linewatch demonstration[/] · product {source.product.product}")
    with ServiceGroup(settings.data_dir / "logs", _environment(settings)) as group:
        screen = Screen(console)
        with screen.step("starting Redis, workers, beat, Flower"):
            plant = start_plant(
                group,
                settings,
                flower_port=flower_port or free_port(),
                console_port=console_port if stay else None,
                alerts=stay and find_spec("apprise") is not None,
            )
        result = Demo(settings, source, plant, group, screen).run()
        seconds = time.monotonic() - began
        report = print_report(
            console, settings, source.product.product, result, plant.flower_url, stay=stay
        )
        if json_path:
            document = _document(settings, result, report, seconds)
            json_path.write_text(json.dumps(document, indent=2, default=str) + "\n")
        if not stay:
            click.echo(f"console: {opened_by(settings, console_port)}")
        click.echo(f"sign in, once, within the hour: {sign_in_link(settings, console_port)}")
        if stay:
            console.print("Everything stays up; Ctrl-C stops it.")
            while True:
                group.check()
                time.sleep(1)
    if not result.account.balanced:
        raise click.ClickException(f"the books do not balance: {result.account}")


def _prepare(
    parts: int, first_per_class: int, images: Path | None, seed: int
) -> tuple[Settings, PictureSource]:
    """Settings with a fresh data folder, and the pictures."""
    from linewatch.demo.sources import FolderSource, SimulatedSource
    from linewatch.settings import get_settings

    base = get_settings()
    data_dir = base.data_dir / f"demo-{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - a name
    source: PictureSource
    if images is not None:
        source = FolderSource(images, first_per_class=first_per_class, seed=seed)
    else:
        source = SimulatedSource(
            data_dir / "pictures", parts=parts, first_per_class=first_per_class, seed=seed
        )
    settings = base.model_copy(
        update={
            "data_dir": data_dir,
            "weights_dir": base.local_weights_dir,
            "image_roots": (source.root,),
            "outputs_file": None,  # a line's gate must not move for parts that are none
        }
    )
    source.product = _unused(source.product, settings)
    return settings, source


def _environment(settings: Settings) -> dict[str, str]:
    """As of any plant; but whom a plant on this machine tells of alerts hears nothing of this."""
    from linewatch.plant import environment

    return {**environment(settings), "LINEWATCH_ALERTS_FILE": ""}


def _unused(product: Any, settings: Settings) -> Any:
    """The product under a name that the database has no pictures of yet."""
    from db.migrate import upgrade
    from db.reports.counts import hourly_total
    from db.session import engine_for
    from linewatch.private_files import make_folder

    make_folder(settings.data_dir)
    upgrade(settings.sql_url)
    if not hourly_total(engine_for(settings.sql_url), product.product):
        return product
    return product.model_copy(update={"product": f"{product.product}-{datetime.now():%H%M%S}"})  # noqa: DTZ005


def _document(
    settings: Settings, result: DemoResult, report: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    books = result.account
    return {
        "accepted": books.accepted,
        "judged": books.judged,
        "rejected": books.rejected,
        "dead_lettered": books.dead_lettered,
        "lost": books.lost,
        "duplicates": books.duplicates,
        "seconds": round(seconds, 1),
        "shift": {str(verdict): count for verdict, count in result.shift_verdicts.items()},
        "images_per_s": round(result.shift_parts / result.shift_seconds, 2),
        "accuracy_on_simulated_truth": result.score.accuracy,
        "macro_f1": result.score.macro_f1,
        "encoders": settings.encoders,
        "model_version": result.version,
        "flower": {
            "reachable": result.flower_tasks is not None,
            "tasks_seen": result.flower_tasks or 0,
        },
        "report": report,
    }
