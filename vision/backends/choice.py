"""Which backend and precision run on which device; what does not go together is refused."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal

import torch

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings
from vision.backends.protocol import Precision

Name = Literal["torch", "openvino"]

_ON_CUDA = ("float32", "bfloat16", "float16")
_ON_CPU: dict[Name, tuple[Precision, ...]] = {
    "torch": ("float32", "bfloat16"),
    "openvino": ("float32", "bfloat16", "int8"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """What runs the networks."""

    backend: Name
    precision: Precision
    device: torch.device


def choose(settings: Settings, *, converted: bool) -> Choice:
    """The backend that the settings name on this machine.

    Args:
        settings: `auto` stands for float32, which leaves every verdict as it is, on whatever runs
            it fastest without more ado: OpenVINO on a CPU for which the networks are `converted`
            already, otherwise torch.
        converted: whether OpenVINO's float32 model of these encoders is stored.

    Raises:
        ConfigurationError: they contradict each other, or ask for what is not here.
    """
    device = choose_device(settings.device)
    return resolve(
        device,
        settings.backend,
        settings.precision,
        openvino=find_spec("openvino") is not None,
        converted=converted,
    )


def resolve(
    device: torch.device,
    backend: Literal["auto", "torch", "openvino"],
    precision: Literal["auto"] | Precision,
    *,
    openvino: bool,
    converted: bool = False,
) -> Choice:
    """`choose` without looking at the machine; `openvino` says whether it is installed.

    Raises:
        ConfigurationError: as for `choose`.
    """
    wanted: Precision = "float32" if precision == "auto" else precision
    name = _name(device, backend, wanted, ready=openvino and converted)
    if name == "openvino" and device.type != "cpu":
        raise ConfigurationError(
            f"LINEWATCH_BACKEND=openvino runs on the CPU, but the device is {device}; set "
            "LINEWATCH_DEVICE=cpu, or LINEWATCH_BACKEND=torch"
        )
    if name == "openvino" and not openvino:
        raise ConfigurationError(
            "LINEWATCH_BACKEND=openvino needs OpenVINO, which is not installed; "
            "`pip install linewatch[openvino]`, or set LINEWATCH_BACKEND=torch"
        )
    allowed = _ON_CUDA if device.type == "cuda" else _ON_CPU[name]
    if wanted not in allowed:
        raise ConfigurationError(
            f"LINEWATCH_PRECISION={wanted} is nothing that {name} runs on {device.type}; use "
            + ", ".join(allowed)
        )
    return Choice(name, wanted, device)


def choose_device(name: str) -> torch.device:
    """The device called `name`; "auto" is the first GPU where there is one.

    Raises:
        ConfigurationError: there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda"):
        raise ConfigurationError(
            f"LINEWATCH_DEVICE: {name!r} is no device; use auto, cpu, cuda or cuda:N"
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError(
            f"LINEWATCH_DEVICE: there is no {name} here ({torch.cuda.device_count()} GPUs seen); "
            "use auto or cpu"
        )
    return device


def _name(
    device: torch.device, backend: Literal["auto"] | Name, precision: Precision, *, ready: bool
) -> Name:
    if backend != "auto":
        return backend
    if device.type == "cpu" and (precision == "int8" or (ready and precision == "float32")):
        return "openvino"
    return "torch"
