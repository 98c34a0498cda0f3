"""Builds the backend that was chosen, and shows that it computes what it should."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from linewatch.settings import Settings
from vision import optimized
from vision.backends.choice import Choice
from vision.backends.protocol import Backend
from vision.backends.torch_eager import TorchBackend
from vision.feature_net import FeatureNet
from vision.patch_stages import LOOK
from vision.probe import Probe, probe_of, verify

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A backend, and what its fingerprint says of its numbers.

    `numerics` is empty for float32, which agrees everywhere.
    """

    backend: Backend
    numerics: str


def build(
    choice: Choice,
    net: FeatureNet,
    settings: Settings,
    *,
    source: str,
    probe: Probe | None = None,
) -> Built:
    """The backend of `choice`, verified.

    Args:
        choice: from `choose`.
        net: float32, on the CPU; a torch backend takes it over.
        settings: say where optimised networks lie.
        source: the fingerprint of the float32 features.
        probe: what float32 on the CPU makes of it, where `net` is neither any more.

    Raises:
        WeightsError: the optimised network is missing, damaged or of other weights.
        ConfigurationError: the backend computes something else on this machine.
    """
    if choice.backend == "openvino":
        return _openvino(choice, net, settings, source)
    if choice.device.type == "cuda":
        return _cuda(choice, net, settings, probe)
    if choice.precision == "float32":
        return Built(TorchBackend(net, device=choice.device, largest=settings.max_batch), "")
    probe = probe or probe_of(net)
    backend = TorchBackend(
        net, device=choice.device, precision=choice.precision, largest=settings.max_batch
    )
    return _verified(backend, probe, settings.max_batch)


def _cuda(choice: Choice, net: FeatureNet, settings: Settings, probe: Probe | None) -> Built:
    from vision.backends.torch_cuda import CudaBackend

    probe = probe or probe_of(net)
    backend = CudaBackend(
        net, device=choice.device, precision=choice.precision, largest=settings.max_batch
    )
    return _verified(backend, probe, settings.max_batch)


def _openvino(choice: Choice, net: FeatureNet, settings: Settings, source: str) -> Built:
    from vision.backends.openvino_cpu import OpenvinoBackend
    from vision.openvino_model import convert

    folder = optimized.folder_of(settings, "int8" if choice.precision == "int8" else "float32")
    stored = optimized.about_of(folder)
    digest, look = "", LOOK
    # Float32 is the same whoever converted it; int8 with tokens would have other features.
    if choice.precision == "int8" or (stored is not None and stored.look == LOOK):
        model, probe, about = optimized.load(folder, source=source)
        digest, look = (about.digest, about.look) if choice.precision == "int8" else ("", LOOK)
    else:
        log.info("converting the encoders; `linewatch optimize` keeps the result for later starts")
        model, probe = convert(net), probe_of(net, tokens=True)
    backend = OpenvinoBackend(
        model, precision=choice.precision, largest=settings.max_batch, look=look
    )
    built = _verified(backend, probe, settings.max_batch, digest)
    backend.warm_up(probe.pictures[0])
    return built


def _verified(backend: Backend, probe: Probe, largest: int, digest: str = "") -> Built:
    verify(backend, probe, largest=largest)
    if backend.precision == "float32":
        return Built(backend, "")
    return Built(backend, f"{backend.precision} {backend.name} {digest}".strip())
