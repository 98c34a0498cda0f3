"""`linewatch lines`."""

from __future__ import annotations

import getpass

import click

from linewatch.commands._output import FORMATS, write_rows


@click.group()
def command() -> None:
    """List production lines, and set their takt budget and policy."""


@command.command("list")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(format_: str) -> None:
    """Every line with its cameras, its takt budget in seconds, and its policy."""
    from db.session import default_engine
    from db.stations import all_lines

    rows = [
        {
            "line": line.code,
            "takt_budget_s": line.takt_budget_s,
            "policy": line.policy,
            "cameras": ", ".join(line.cameras),
        }
        for line in all_lines(default_engine())
    ]
    write_rows(
        rows, format_, title="Lines", empty="no line yet; one appears with its first picture"
    )


@command.command("set")
@click.argument("line")
@click.option(
    "--takt-budget",
    metavar="SECONDS",
    help="From capture to verdict; later raises an alarm. 'none': no alarm.",
)
@click.option(
    "--policy",
    type=click.Choice(["fifo", "newest-first"]),
    help="Which of its waiting pictures is judged first.",
)
def set_(line: str, takt_budget: str | None, policy: str | None) -> None:
    """Set what LINE can wait for, and which of its pictures goes first.

    Workers notice within seconds. What is not given stays as it is.
    """
    from db.session import default_engine
    from db.stations import all_lines, set_line
    from linewatch.errors import LineError

    engine = default_engine()
    known = {info.code: info for info in all_lines(engine)}
    if line not in known:
        raise LineError(f"no line is called {line!r}; a line appears with its first picture")
    budget_s = known[line].takt_budget_s if takt_budget is None else _seconds(takt_budget)
    chosen = policy or known[line].policy
    set_line(engine, line, takt_budget_s=budget_s, policy=chosen, by=getpass.getuser())
    words = "no takt budget" if budget_s is None else f"takt budget {budget_s:g} s"
    click.echo(f"{line}: {words}, {chosen}")


def _seconds(text: str) -> float | None:
    if text == "none":
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 86_400:
        raise click.BadParameter(f"{text!r} is neither 'none' nor a number of seconds above 0")
    return value
