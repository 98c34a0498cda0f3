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
    from linewatch.extras import need
    from linewatch.services import python_command
    from linewatch.settings import get_settings

    need("redbeat")
    get_settings()  # what is wrong with them is said here, in a sentence
    arguments = ["-A", "workers", "beat", "-l", loglevel]
    arguments += ["--pidfile="]  # the lock in Redis is what keeps a second one from ticking
    os.execv(sys.executable, python_command("linewatch.celery_program", *arguments))  # noqa: S606
