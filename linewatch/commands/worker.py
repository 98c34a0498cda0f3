"""`linewatch worker`."""

from __future__ import annotations

import os

import click

QUEUES = ("inspect", "train", "maintenance")


@click.command()
@click.option(
    "--queues", default=",".join(QUEUES), show_default=True, help="Comma-separated queues to serve."
)
@click.option("--name", default="worker", show_default=True, help="Node name; unique on a machine.")
@click.option(
    "--threads",
    type=click.IntRange(1),
    help="Messages in flight; default: LINEWATCH_WORKER_THREADS, or 2 where none are inspected.",
)
@click.option(
    "--device",
    help="auto, cpu, cuda or cuda:N; several (cuda:0,cuda:1): a process each; "
    "default: LINEWATCH_DEVICE.",
)
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

    With several devices, one process a device runs, named NAME-0, NAME-1 and so on; their metrics
    ports are LINEWATCH_METRICS_PORT and those after it.
    """
    unknown = sorted(set(queues.split(",")) - set(QUEUES))
    if unknown:
        raise click.BadParameter(
            f"no queue is called {', '.join(unknown)}; choose from {', '.join(QUEUES)}"
        )
    from linewatch.extras import need
    from linewatch.services import python_command
    from linewatch.settings import get_settings

    need("torch", "sqlalchemy", "celery")
    settings = get_settings()
    devices = _devices(device or settings.device)
    if "inspect" not in queues.split(","):
        threads = threads or 2  # training and maintenance are few and heavy
    arguments = ["-A", "workers", "worker", "-Q", queues, "-l", loglevel]
    arguments += ["--without-gossip", "--without-mingle"]
    arguments += ["-c", str(threads)] if threads else []
    celery = python_command("linewatch.celery_program", *arguments)
    if not supervise:
        if len(devices) > 1:
            raise click.BadParameter("several devices need the supervisor; name one")
        os.environ["LINEWATCH_DEVICE"] = devices[0]
        os.execv(celery[0], [*celery, "-n", f"{name}@%h"])  # noqa: S606
    from workers.health.pulse import Limits
    from workers.health.supervisor import Program, Supervisor

    limits = Limits(
        start_s=settings.start_timeout_s,
        silent_s=settings.silent_timeout_s,
        stall_s=1.5 * settings.stall_timeout_s,  # the worker's own watchdog comes first
    )
    programs = []
    for place, one in enumerate(devices):
        own = name if len(devices) == 1 else f"{name}-{place}"
        environment = {"LINEWATCH_DEVICE": one}
        if settings.metrics_port:  # each worker serves its own
            environment["LINEWATCH_METRICS_PORT"] = str(settings.metrics_port + place)
        programs.append(Program(own, [*celery, "-n", f"{own}@%h"], environment, limits))
    raise SystemExit(Supervisor(programs).run())


def _devices(text: str) -> list[str]:
    """The devices in a list separated by commas."""
    devices = [part.strip() for part in text.split(",")]
    if not all(devices):
        raise click.BadParameter(f"{text!r} is no list of devices, such as cuda:0,cuda:1")
    return devices
