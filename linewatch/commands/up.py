"""`linewatch up`."""

from __future__ import annotations

import contextlib
import time
from datetime import datetime
from importlib.util import find_spec

import click

from linewatch.console_address import USUAL_PORT

_PORT = click.IntRange(1, 65535)


@click.command()
@click.option("--flower-port", default=5555, show_default=True, type=_PORT)
@click.option("--console-port", default=USUAL_PORT, show_default=True, type=_PORT)
def command(flower_port: int, console_port: int) -> None:
    """Run everything on this machine until Ctrl-C.

    Redis (unless LINEWATCH_REDIS_URL names one), an inspect worker, a training worker, beat,
    Flower, the console, and the outputs where LINEWATCH_OUTPUTS_FILE names a file. What ends by
    itself is started again. For a plant, run the parts as services: `linewatch init` writes the
    files for Compose and systemd.
    """
    from linewatch.extras import need

    need("torch", "redbeat", "flower", "fastapi")
    from linewatch.plant import environment, start_plant
    from linewatch.services import ServiceGroup, need_port
    from linewatch.settings import get_settings

    settings = get_settings()
    need_port(flower_port, "--flower-port")  # before anything is started
    need_port(console_port, "--console-port")
    click.echo("starting everything; workers load their networks first ...")
    with (
        ServiceGroup(settings.data_dir / "logs", environment(settings)) as group,
        contextlib.suppress(KeyboardInterrupt),
    ):
        alerts = find_spec("apprise") is not None  # linewatch[worker] alone lacks it
        plant = start_plant(
            group, settings, flower_port=flower_port, console_port=console_port, alerts=alerts
        )
        roots = ", ".join(map(str, settings.image_roots)) or "none: set LINEWATCH_IMAGE_ROOTS"
        click.echo(f"console   {plant.console_url}  (`linewatch users add NAME --role admin`)")
        click.echo(f"Flower    {plant.flower_url}")
        click.echo(f"pictures  may lie in {roots}")
        click.echo(f"data      {settings.data_dir}")
        click.echo("Ctrl-C stops everything.")
        while True:
            group.keep_running(lambda line: click.echo(f"{datetime.now():%H:%M:%S} {line}"))  # noqa: DTZ005
            time.sleep(0.25)
