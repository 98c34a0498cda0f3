"""The settings that each server's own documentation advises, to be tried before it is compared.

LitServe says: batch requests, start several workers a device so that one decodes while the other
computes, and make the methods asynchronous (which it does not combine with batches). Ray Serve
says: batch requests, as many replicas as the cores bear, each with its own share of threads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Setting = TypeVar("Setting")
_CORES = os.cpu_count() or 1
VARIABLE = "SERVED_OPTIONS"


@dataclass(frozen=True, slots=True, eq=False)
class Option:
    """One way to start a server, and what its process gets in its environment for it."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The settings, as `setting` reads them, and the rest."""
        return {VARIABLE: json.dumps(dict(self.settings)), **self.extra}


_SHARED = {"OMP_NUM_THREADS": str(max(1, _CORES // 2))}
OPTIONS: dict[str, tuple[Option, ...]] = {
    "litserve": (
        Option("batches, one worker"),
        Option("batches, two workers a device", {"workers": 2}),
        Option("batches, two workers that share the cores", {"workers": 2}, _SHARED),
        Option("asynchronous, no batches", {"asynchronous": True}),
    ),
    "rayserve": (
        Option("batches, one replica"),
        Option("batches, one replica, waits longer for a batch", {"batch_wait_s": 0.05}),
        Option("batches, two replicas that share the cores", {"replicas": 2}),
    ),
}


def setting(name: str, default: Setting) -> Setting:
    """What this server's process was told; the default where it was told nothing."""
    told: Setting = json.loads(os.environ.get(VARIABLE, "{}")).get(name, default)
    return told
