"""Checks of what Linewatch stands on: the queue's age, room on the disk, who may read what."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

from linewatch.doctor.findings import Finding, State
from linewatch.private_files import too_open, writable_by_others
from linewatch.redis_access.client import quick_client
from linewatch.settings import Settings, environment_file, setting_names
from linewatch.settings.effective import holds_secret
from linewatch.settings.places import places
from linewatch.settings.unknown import unknown_names
from producer.queue_state import queue_state

LEAST_FREE = 0.05  # of the disk


def queue(settings: Settings) -> Iterator[Finding]:
    """How many messages wait, and since when; a queue at its limit keeps pictures in the spools."""
    with quick_client(settings) as client:
        found = queue_state(client)
    age_s = found.oldest_age_s or 0.0
    words = f"{found.depth} messages wait"
    if found.oldest_age_s is not None:
        words += f", the oldest for {age_s:.0f} s"
    if found.depth >= settings.max_queue_depth or age_s > settings.max_queue_age_s:
        words += "; cameras keep their pictures until it is shorter: add workers, or see why"
        words += " those there are do so little (`linewatch top`)"
        yield Finding("queue", State.WARN, words)
    else:
        yield Finding("queue", State.OK, words)


def modes(settings: Settings) -> Iterator[Finding]:
    """Whether others on this machine may read what is secret or the plant's own."""
    places = [settings.data_dir]
    file = environment_file()
    places += [file] if holds_secret(file) or writable_by_others(file) else []
    url = settings.sql_url
    if url.startswith("sqlite:///"):
        places.append(Path(url.removeprefix("sqlite:///")))
    secrets = os.environ.get("LINEWATCH_SECRETS_DIR")
    places += sorted(path for path in Path(secrets).iterdir() if path.is_file()) if secrets else []
    bare = [path for path in places if too_open(path)]
    for path in bare:
        mode = "700" if path.is_dir() else "600"
        advice = f"others on this machine may use {path}: `chmod {mode} {path}`"
        yield Finding("modes", State.WARN, advice)
    if not bare:
        yield Finding("modes", State.OK, "data folder and secrets are this user's alone")
    stray = Path(".env").absolute()
    if (
        stray.is_file()
        and stray != file.absolute()
        and "LINEWATCH_" in stray.read_text(errors="replace")
    ):
        advice = f"{stray} is not read: the settings are in {file}, or set LINEWATCH_ENV_FILE"
        yield Finding("settings", State.WARN, advice)


def names(_: Settings) -> Iterator[Finding]:
    """Whether every name that looks like a setting is one."""
    unknown = unknown_names(setting_names(), places())
    for sentence in unknown:
        yield Finding("settings", State.WARN, sentence)
    if not unknown:
        yield Finding("settings", State.OK, "every LINEWATCH_ name is known")


def installation(_: Settings) -> Iterator[Finding]:
    """Whether the two wheels that hold the same modules are not installed over each other."""
    names = ("linewatch", "linewatch-camera")
    if all(any(distributions(name=name)) for name in names):
        advice = "linewatch and linewatch-camera share their files: uninstall both, install one"
        yield Finding("installation", State.FAIL, advice)


def disk(settings: Settings) -> Iterator[Finding]:
    """How much room the data folder's disk has."""
    folder = next(p for p in (settings.data_dir, *settings.data_dir.parents) if p.exists())
    usage = shutil.disk_usage(folder)
    share = usage.free / usage.total
    words = f"{share:.0%} of the disk of {settings.data_dir} is free ({usage.free / 1e9:.1f} GB)"
    if share < LEAST_FREE:
        words += "; make room, or let `linewatch purge` do so"
        yield Finding("disk", State.WARN, words)
    else:
        yield Finding("disk", State.OK, words)
