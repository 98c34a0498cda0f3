"""`linewatch up`."""

from __future__ import annotations

import contextlib
import time

import click


@click.command()
@click.option("--flower-port", default=5555, show_default=True, type=click.IntRange(1, 65535))
def command(flower_port: int) -> None:
    """Run everything on this machine until Ctrl-C.

    Redis (unless LINEWATCH_REDIS_URL names one), an inspect worker, a training worker, beat and
    Flower. For a plant, run the parts as services: see docker-compose.yml and deploy/systemd.
    """
    from linewatch.plant import environment, start_plant
    from linewatch.services import ServiceGroup
    from linewatch.settings import get_settings

    settings = get_settings()
    with (
        ServiceGroup(settings.data_dir / "logs", environment(settings)) as group,
        contextlib.suppress(KeyboardInterrupt),
    ):
        plant = start_plant(group, settings, flower_port=flower_port)
        roots = ", ".join(map(str, settings.image_roots)) or "none: set LINEWATCH_IMAGE_ROOTS"
        click.echo(f"Flower    {plant.flower_url}")
        click.echo(f"pictures  may lie in {roots}")
        click.echo(f"data      {settings.data_dir}")
        click.echo("Ctrl-C stops everything.")
        while True:
            group.check()
            time.sleep(1)
