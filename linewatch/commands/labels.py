"""`linewatch labels`."""

from __future__ import annotations

import click

from linewatch.commands._labels_files import export, import_
from linewatch.commands._labels_review import (
    advice,
    decisions,
    disagreements,
    history,
    list_,
    suspects,
)


@click.group()
def command() -> None:
    """Import, export and review people's labels."""


for _part in (import_, export, list_, history, decisions, disagreements, suspects, advice):
    command.add_command(_part)
