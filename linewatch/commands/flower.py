"""`linewatch flower`."""

from __future__ import annotations

import os
import sys

import click

# The arguments say line, camera and number of pictures; the result counts the verdicts.
COLUMNS = "name,args,state,result,received,runtime,worker,uuid"


@click.command()
@click.option("--port", default=5555, show_default=True, type=click.IntRange(1, 65535))
@click.option("--address", default="127.0.0.1", show_default=True)
def command(port: int, address: str) -> None:
    """Run Flower, the page that watches the workers.

    Beyond the loopback address it must have a password, LINEWATCH_FLOWER_BASIC_AUTH=user:password:
    whoever sees Flower can stop workers. Flower asks nobody's name for /metrics and /healthcheck.
    """
    from linewatch.settings import get_settings

    basic_auth = get_settings().flower_basic_auth.get_secret_value().strip()
    if address not in ("127.0.0.1", "::1", "localhost") and not basic_auth:
        raise click.UsageError(
            f"--address {address} can be reached from outside: set LINEWATCH_FLOWER_BASIC_AUTH to "
            "user:password"
        )
    if basic_auth and not all(basic_auth.partition(":")):
        raise click.UsageError("LINEWATCH_FLOWER_BASIC_AUTH is not user:password")
    arguments = ["-A", "workers", "flower", f"--port={port}", f"--address={address}"]
    arguments += [f"--tasks_columns={COLUMNS}"]
    if basic_auth:
        os.environ["FLOWER_BASIC_AUTH"] = basic_auth  # not on the command line, where ps shows it
    os.execv(sys.executable, [sys.executable, "-m", "celery", *arguments])  # noqa: S606
