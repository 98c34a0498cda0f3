"""What the long run of the fault tests must have provoked, and what of it is still owed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

# Words that a fault's name begins with, and how often it must have been provoked, on all databases.
PROOF = {
    "worker SIGKILL at a random moment": 200,
    "worker SIGKILL while it takes messages that nobody sends again": 100,
    "worker killed when received": 2,
    "worker killed when decoded": 2,
    "worker killed when inferred": 2,
    "worker killed when committed, before the receipt": 2,
    "worker killed after the receipt, before the acknowledgement": 2,
    "worker SIGSTOP past the visibility timeout": 2,
    "worker SIGTERM under load": 2,
    "worker whose device is lost": 2,
    "picture that kills its worker": 6,
    "Redis restart, AOF always": 30,
    "Redis restart, AOF everysec": 30,
    "Redis restart, no persistence": 30,
    "Redis connections reset": 30,
    "Redis connections half-open": 1,
    "Redis out of memory": 1,
    "PostgreSQL cut off": 1,
    "PostgreSQL stopped for 60 s": 10,
    "PostgreSQL deadlock": 1,
    "PostgreSQL sessions terminated": 1,
    "SQLite locked by another process": 1,
    "SQLite on a full disk": 1,
    "spool on a full disk": 1,
    "model store full": 1,
    "pictures' share hangs": 1,
    "pictures' share takes": 1,
    "pictures' share fails": 1,
    "worker SIGTERM while the pictures' share hangs": 1,
    "worker with its clock +2 h off": 1,
    "worker with its clock -2 h off": 1,
    "clock of one of two workers jumps": 1,
    "clock of a camera jumps by +2 h": 1,
    "clock of a camera jumps by -2 h": 1,
    "producer killed before the spool row": 1,
    "producer killed after the row, before submit returns": 1,
    "producer killed after the row, before the publish": 1,
    "producer killed after the publish": 1,
    "producer killed after the receipt was read": 1,
    "producer killed after the spool forgot": 1,
    "broker away for a simulated hour, then 20000 pictures": 1,
    "outputs: MQTT broker SIGKILL": 30,
    "outputs: webhook receiver SIGKILL": 30,
    "outputs: modbus receiver SIGKILL": 30,
    "outputs: opcua receiver SIGKILL": 30,
    "outputs: dispatcher SIGKILL": 50,
    "outputs: one of two dispatchers SIGKILL": 50,
    "outputs: database cut off": 10,
    "two beats": 1,
    "two retrains": 1,
    "train worker SIGKILLed": 1,
    "model swapped under load": 1,
    "promotion of a spoiled model": 5,
    "bad pictures, paths and fields": 250,
    "bad messages": 50,
    "bad envelopes": 10,
    "hypothesis on the message contract": 1000,
    "atheris on the decoder": 1000,
    "atheris on the message contract": 1000,
}
SHIPPED = ("visibility_timeout_s", "redelivery_sweep_s")


def owed(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The faults that no long run with shipped settings has provoked often enough, and why."""
    proving = [row for row in rows if proves(row)]
    missing = {}
    for fault, times in PROOF.items():
        runs = sum(row["runs"] for row in proving if row["fault"].startswith(fault))
        if runs < times:
            missing[fault] = f"{runs:,} of {times:,}"
    return missing


def proves(row: Mapping[str, Any]) -> bool:
    """Whether a row counts: the long run, passed, with the times that ship."""
    if row["mode"] != "long" or row["status"] != "passed":
        return False
    shipped = shipped_times()
    return all(row["settings"].get(name, value) == value for name, value in shipped.items())


def shipped_times() -> dict[str, float]:
    """How soon messages come back where nobody set anything."""
    from linewatch.settings import Settings

    return {name: Settings.model_fields[name].default for name in SHIPPED}
