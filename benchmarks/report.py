"""The one form of every result file: name, when, commit, machine, settings, rows, ratios."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision.weights import ABOUT_FILE, COMPACT

if TYPE_CHECKING:
    from benchmarks.paired import Turns

RESULTS = Path(__file__).parent / "results"
_NO_CODE = (":(top,exclude)benchmarks/results", ":(top,exclude)docs")
KEYS = ("name", "when", "commit", "machine", "settings", "rows", "ratios")


@dataclass(slots=True)
class Findings:
    """What a benchmark found: how it was set up, a row a measurement, and the ratios that count."""

    settings: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    ratios: dict[str, Any] = field(default_factory=dict)

    def keep(self, what: str, turns: Turns[Any]) -> None:
        """Note what else the machine did in each round, those that were thrown out included."""
        self.settings.setdefault("conditions", []).extend(turns.rows(what))

    def skip(self, what: str, why: str) -> None:
        """Say in the file what could not be measured here, and why."""
        self.settings.setdefault("skipped", {})[what] = why


def document(
    name: str,
    *,
    settings: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    ratios: Mapping[str, Any],
) -> dict[str, Any]:
    """A result, with the time, the commit, the machine and the environment it was measured in."""
    from benchmarks.machine import describe_machine

    return {
        "name": name,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": describe_machine(),
        "settings": rounded(
            {**settings, "compact_weights": compact_weights(), "environment": environment()}
        ),
        "rows": [rounded(dict(row)) for row in rows],
        "ratios": rounded(dict(ratios)),
    }


def compact_weights() -> str:
    """A digest of the compact encoders that ship: which networks "compact" means in a result."""
    about = json.loads((COMPACT / ABOUT_FILE).read_text(encoding="utf-8"))
    return hashlib.sha256(json.dumps(about["sha256"], sort_keys=True).encode()).hexdigest()[:12]


def of_earlier_encoders(result: Mapping[str, Any]) -> str:
    """A sentence for the page of a result that was not measured with what ships; else empty."""
    note = result["settings"].get("earlier_encoders")
    return f"**Measured with earlier encoders**: {note}." if note else ""


def write(result: Mapping[str, Any], path: Path) -> None:
    """Write a result as JSON; the file is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)


def commit() -> str:
    """The commit that was measured; `+` says that files had changed since."""
    return _commit("rev-parse", "--short", "HEAD")


def code_commit() -> str:
    """The newest commit that changed more than results and docs; `+` as for `commit`.

    A run in parts, whose results are committed in between, is of one code.
    """
    return _commit("rev-list", "-1", "--abbrev-commit", "HEAD", "--", ":/", *_NO_CODE)


def _commit(*which: str) -> str:
    git = ["git", "-C", str(Path(__file__).parent)]
    try:
        found = _said([*git, *which])
        changed = _said([*git, "status", "--porcelain", "--", ":/", *_NO_CODE])
    except (OSError, subprocess.CalledProcessError):  # an archive without its history
        return "unknown"
    return f"{found}+" if changed else found


def environment() -> dict[str, str]:
    """The variables that change what is measured; no secrets, no addresses, no paths."""
    wanted = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    hidden = ("KEY", "URL", "AUTH", "SECRET", "DIR", "ROOTS", "TEST", "CERT", "CACHE", "RESULTS")
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in wanted
        or (name.startswith("LINEWATCH_") and not any(part in name for part in hidden))
    }


def rounded(value: Any) -> Any:
    """Floats to four significant digits (more where they are near 1), at any depth."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    if not isinstance(value, float):
        return value
    return round(value, 5) if 0.9 < abs(value) < 1.1 else float(f"{value:.4g}")


def _said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()
