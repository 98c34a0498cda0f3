"""The machine that a result was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

_PACKAGES = (
    *("torch", "torchvision", "open_clip_torch", "transformers", "openvino", "nncf"),
    *("celery", "kombu", "redis", "sqlalchemy", "psycopg", "litserve", "ray"),
)


def describe_machine() -> dict[str, Any]:
    """Cores, processor, memory, system, and the versions that matter to speed."""
    return {
        "description": f"{os.cpu_count()} cores, {_processor()}, {_memory_gib()} GiB",
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": _memory_gib(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gib() -> int:
    return round(psutil.virtual_memory().total / 2**30)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
