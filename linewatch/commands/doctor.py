"""`linewatch doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from linewatch.settings import Settings


@click.command()
@click.option("--progress", is_flag=True, help="Only: is the inspect queue being worked off?")
@click.option("--ping", metavar="NODE", help="Only: does the worker of this name answer?")
@click.option("--beat", is_flag=True, help="Only: does a scheduler hold its lock?")
def command(progress: bool, ping: str | None, beat: bool) -> None:
    """Check the configuration and what it points at.

    Ends with 1 if something fails. The options are for health checks of containers: they test
    that work gets done, not only that a process is there.
    """
    from linewatch.settings import get_settings

    settings = get_settings()
    if progress or ping or beat:
        _check_health(settings, progress=progress, ping=ping)
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from linewatch.doctor.diagnosis import examine
    from linewatch.doctor.findings import State
    from linewatch.plain_text import visible

    colours = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}
    table = Table(box=None, show_header=False, pad_edge=False)
    failed = False
    for finding in examine(settings):
        table.add_row(
            f"[{colours[finding.state]}]{finding.state}[/]",
            finding.check,
            escape(visible(finding.detail)),
        )
        failed |= finding.state is State.FAIL
    Console().print(table)
    raise SystemExit(1 if failed else 0)


def _check_health(settings: Settings, *, progress: bool, ping: str | None) -> NoReturn:
    """One check, without the imports of the others."""
    from linewatch.doctor import health

    def check() -> str | None:
        if progress:
            return health.stuck(settings)
        return health.silent(settings, ping) if ping else health.beat_gone(settings)

    problem = health.problem(check)
    click.echo(problem or "healthy")
    raise SystemExit(1 if problem else 0)
