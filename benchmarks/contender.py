"""An execution backend at a precision, as the settings name it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass


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
        return {"LINEWATCH_BACKEND": self.backend, "LINEWATCH_PRECISION": self.precision}

    def missing(self) -> str | None:
        """Why this machine cannot run it; None if it can."""
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
