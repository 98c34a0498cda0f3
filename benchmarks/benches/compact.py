"""`benchmarks.compact.run` with its defaults: macro F1 of the compact encoders beside others'."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks.compact.run import main
from benchmarks.report import Findings
from benchmarks.workplace import Workplace
from linewatch.errors import ConfigurationError

_QUICK = ["--cable-per-class", "10", "--other-per-class", "10", "--most-per-class", "10"]


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Needs real photographs.

    Raises:
        ConfigurationError: nobody says where they are.
    """
    photographs = os.environ.get("LINEWATCH_TEST_DATA")
    if not photographs:
        raise ConfigurationError(
            "bench compact needs the folder that holds mvtec-bottle and x-sdd; name it in "
            "LINEWATCH_TEST_DATA"
        )
    out = workplace.folder / "compact.json"
    options = {"photographs": photographs, "cache": workplace.cache / "compact", "out": out}
    named = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    main(args=[*named, *(_QUICK if quick else [])], standalone_mode=False)
    return _findings(out)


def _findings(path: Path) -> Findings:
    found = json.loads(path.read_text(encoding="utf-8"))
    settings = {**found["settings"], **found.get("figures", {})}
    return Findings(settings, found["rows"], found["ratios"])
