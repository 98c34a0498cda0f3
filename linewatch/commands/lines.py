"""`linewatch lines`."""

from __future__ import annotations

import click

from linewatch.commands._output import FORMATS, write_rows
from linewatch.os_user import os_user

_COLUMNS = ("line", "takt_budget_s", "policy", "cameras")


@click.group()
def command() -> None:
    """List production lines, and set their takt budget and policy."""


@command.command("list")
@click.option("--format", "format_", type=FORMATS, default="table", show_default=True)
def list_(format_: str) -> None:
    """Every line with its cameras, its takt budget in seconds, and its policy."""
    from db.inspections.stations import all_lines
    from db.session import default_engine

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
        rows,
        format_,
        columns=_COLUMNS,
        title="Lines",
        empty="no line yet; one appears with its first picture",
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
    from db.inspections.stations import LineChange, set_line
    from db.session import transaction

    change: LineChange = {}
    if takt_budget is not None:
        change["takt_budget_s"] = _seconds(takt_budget)
    if policy is not None:
        change["policy"] = policy
    if not change:
        raise click.UsageError("say what to set: --takt-budget SECONDS, --policy NAME, or both")
    with transaction() as connection:
        now = set_line(connection, line, change, by=os_user())
    budget_s = now["takt_budget_s"]
    words = "no takt budget" if budget_s is None else f"takt budget {budget_s:g} s"
    click.echo(f"{line}: {words}, {now['policy']}")


@command.command("rebaseline")
@click.argument("line")
@click.option(
    "--product", metavar="NAME", help="Only its parts; those of all products unless said."
)
@click.option("--why", required=True, help="What was changed; kept in the audit log.")
def rebaseline(line: str, product: str | None, why: str) -> None:
    """Compare LINE's cameras with their next parts: a lamp, lens or stand was changed on purpose.

    Ends the line's alarms of drift. Workers notice within seconds.
    """
    from db.models import drift
    from db.session import transaction

    with transaction() as connection:
        count = drift.forget(connection, line, product=product, by=os_user(), why=why)
    if not count:
        of = f"{line}, {product}" if product else line
        raise click.ClickException(
            f"{of}: no camera has a baseline of drift; `linewatch lines list` names the lines. A "
            "camera that is new, or was told to start anew, makes one of its next parts by itself"
        )
    click.echo(f"{line}: baselines of drift forgotten: {count}; the next parts make new ones")


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
