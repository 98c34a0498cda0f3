"""An execution backend at a precision, as the settings name it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import get_args

from linewatch.cli import COMMANDS
from linewatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Contender:
    """`torch` or `openvino`, at a precision that the settings know."""

    backend: str
    precision: str

    @property
    def name(self) -> str:
        """As rows call it: `openvino int8`."""
        return f"{self.backend} {self.precision}"

    @property
    def key(self) -> str:
        """As ratios call it: `openvino_int8`."""
        return self.name.replace(" ", "_")

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to run on it."""
        names = {"LINEWATCH_BACKEND": self.backend, "LINEWATCH_PRECISION": self.precision}
        return names if "backend" in Settings.model_fields else {}

    def missing(self) -> str | None:
        """Why this machine or this version cannot run it; None if it can."""
        if self.backend == "torch" and self.precision == "float32":
            return None
        fields = Settings.model_fields
        if "backend" not in fields or "precision" not in fields:
            return "this version has no LINEWATCH_BACKEND and LINEWATCH_PRECISION"
        if self.precision not in get_args(fields["precision"].annotation):
            return f"LINEWATCH_PRECISION knows no {self.precision}"
        if self.precision == "int8" and "optimize" not in COMMANDS:
            return "this version has no `linewatch optimize`"
        if self.backend == "openvino" and importlib.util.find_spec("openvino") is None:
            return "OpenVINO is not installed; pip install linewatch[openvino]"
        return None


TORCH = Contender("torch", "float32")
OPENVINO = Contender("openvino", "float32")
OPENVINO_BFLOAT16 = Contender("openvino", "bfloat16")
OPENVINO_INT8 = Contender("openvino", "int8")
ALL = (TORCH, OPENVINO, OPENVINO_BFLOAT16, OPENVINO_INT8)


def available(*wanted: Contender) -> list[Contender]:
    """Those of `wanted` that can run here."""
    return [contender for contender in wanted if contender.missing() is None]
