"""`linewatch worker`."""

from __future__ import annotations

import os
import sys

import click

QUEUES = ("inspect", "train", "maintenance")


@click.command()
@click.option(
    "--queues", default=",".join(QUEUES), show_default=True, help="Comma-separated queues to serve."
)
@click.option("--name", default="worker", show_default=True, help="Node name; unique on a machine.")
@click.option("--threads", type=click.IntRange(1), help="Messages in flight.")
@click.option("--device", help="auto, cpu, cuda or cuda:N.")
@click.option("--loglevel", default="INFO", show_default=True)
@click.option(
    "--supervise/--no-supervise",
    default=True,
    show_default=True,
    help="Start it again when it ends by itself.",
)
def command(
    queues: str,
    name: str,
    threads: int | None,
    device: str | None,
    loglevel: str,
    supervise: bool,
) -> None:
    """Run a worker.

    It is `celery -A workers worker` with the flags that suit its queues, so everything that
    Celery's own tools do with a worker works here too.
    """
    unknown = sorted(set(queues.split(",")) - set(QUEUES))
    if unknown:
        raise click.BadParameter(
            f"no queue is called {', '.join(unknown)}; choose from {', '.join(QUEUES)}"
        )
    if device:
        os.environ["LINEWATCH_DEVICE"] = device
    if "inspect" not in queues.split(","):
        threads = threads or 2  # training and maintenance are few and heavy
    arguments = ["-A", "workers", "worker", "-Q", queues, "-n", f"{name}@%h", "-l", loglevel]
    arguments += ["--without-gossip", "--without-mingle"]
    arguments += ["-c", str(threads)] if threads else []
    celery = [sys.executable, "-m", "celery", *arguments]
    if not supervise:
        os.execv(celery[0], celery)  # noqa: S606
    from workers.supervisor import Supervisor

    raise SystemExit(Supervisor(celery).run())
