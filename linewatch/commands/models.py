"""`linewatch models`: versions from training to retirement."""

from __future__ import annotations

import click

from linewatch.commands._models_reading import (
    compare,
    costs,
    decisions,
    list_,
    runs,
    show,
    verify,
)
from linewatch.commands._models_serving import promote, retire, rollback, shadow, zero_shot


@click.group()
def command() -> None:
    """List, show, compare, promote and roll back model versions; reckon what they cost."""


for _part in (list_, show, verify, costs, compare, decisions, runs):
    command.add_command(_part)
for _part in (promote, rollback, shadow, retire, zero_shot):
    command.add_command(_part)
