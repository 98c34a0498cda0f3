"""`linewatch decide`."""

from __future__ import annotations

import click

from linewatch.commands._database import opened
from linewatch.commands._output import say
from linewatch.os_user import os_user


@click.command()
@click.argument("product")
@click.argument("serial")
@click.argument("label", metavar="CLASS")
@click.option(
    "--pass",
    "number",
    type=click.IntRange(1),
    help="Which pass through the line is meant; default: the latest.",
)
@click.option("--why", default="", help="The reason; it stays on record with the decision.")
@click.option("--by", default=os_user, help="Who decides; default: you.")
def command(product: str, serial: str, label: str, number: int | None, why: str, by: str) -> None:
    """Say what a part is, above what the model found.

    CLASS is one of the product's, the good one included. A decision stands above the model's
    verdicts and people's labels on its pictures, in every report; the latest counts, and the
    earlier ones stay on record: `linewatch labels decisions`. The pictures may be purged; the part
    must have been seen.
    """
    from db.labels.by_hand import decide
    from db.labels.decisions import NewDecision
    from db.session import transaction

    engine = opened()
    decision = NewDecision(
        product, serial, label, by, source="command", why=why, pass_number=number
    )
    with transaction(engine) as connection:
        done = decide(connection, decision)
    say(f"{product} {serial}, pass {done.pass_number}: {done.disposition}, by {by}; {done.before}")
