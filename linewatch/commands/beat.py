"""`linewatch beat`."""

from __future__ import annotations

import os
import sys

import click


@click.command()
@click.option("--loglevel", default="INFO", show_default=True)
def command(loglevel: str) -> None:
    """Run the scheduler that starts retraining.

    It holds a lock in Redis, so a second one waits as a standby instead of doubling every tick.
    """
    arguments = ["-A", "workers", "beat", "-l", loglevel]
    os.execv(sys.executable, [sys.executable, "-m", "celery", *arguments])  # noqa: S606
