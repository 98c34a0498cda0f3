"""`linewatch top`."""

from __future__ import annotations

import time

import click

from linewatch.commands._numbers import DAY_S, Number


@click.command()
@click.option(
    "--url",
    "urls",
    multiple=True,
    help="A worker's metrics endpoint; may be given often. Default: the one in the settings.",
)
@click.option(
    "--every",
    "every_s",
    type=Number(0.2, DAY_S),
    default=2.0,
    show_default=True,
    help="Seconds from one look to the next.",
)
@click.option("--once", is_flag=True, help="Print one picture and end.")
def command(urls: tuple[str, ...], every_s: float, once: bool) -> None:
    """Watch queue, workers and verdicts, live.

    Queue and verdicts come from Redis and the database; each worker's batches, device memory and
    models, and the seconds by stage, from the workers' metrics endpoints, where
    LINEWATCH_METRICS_PORT or --url names one. Ctrl-C ends it.
    """
    from rich.console import Console
    from rich.live import Live

    from linewatch.settings import get_settings
    from linewatch.top import look, screen

    settings = get_settings()
    if not urls and settings.metrics_port:
        places = range(len(settings.device.split(",")))  # a worker a device, each with its port
        ports = [settings.metrics_port + place for place in places]
        urls = tuple(f"http://{settings.metrics_address}:{port}/metrics" for port in ports)
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"{url!r} is no http:// address")
    before = look(settings, urls)
    if once:
        Console().print(screen(before, None))
        raise SystemExit(1 if before.troubles else 0)
    with Live(screen(before, None), screen=True) as live:
        while True:
            time.sleep(every_s)
            now = look(settings, urls)
            live.update(screen(now, before))
            before = now
