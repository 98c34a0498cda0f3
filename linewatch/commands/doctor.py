"""`linewatch doctor`."""

from __future__ import annotations

import click


@click.command()
@click.option("--progress", is_flag=True, help="Only: is the inspect queue being worked off?")
@click.option("--ping", metavar="NODE", help="Only: does the worker of this name answer?")
@click.option("--beat", is_flag=True, help="Only: does a scheduler hold its lock?")
def command(progress: bool, ping: str | None, beat: bool) -> None:
    """Check the configuration and what it points at.

    Ends with 1 if something fails. The options are for health checks of containers: they test
    that work gets done, not only that a process is there.
    """
    from rich.console import Console
    from rich.table import Table

    from linewatch import health
    from linewatch.doctor import examine
    from linewatch.findings import State
    from linewatch.settings import get_settings

    settings = get_settings()
    if progress or ping or beat:
        if progress:
            problem = health.stuck(settings)
        elif ping:
            problem = health.silent(settings, ping)
        else:
            problem = health.beat_gone(settings)
        click.echo(problem or "healthy")
        raise SystemExit(1 if problem else 0)
    colours = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    failed = False
    for finding in examine(settings):
        table.add_row(
            f"[{colours[finding.state]}]{finding.state}[/]", finding.check, finding.detail
        )
        failed |= finding.state is State.FAIL
    Console().print(table)
    raise SystemExit(1 if failed else 0)
