"""A batch that the device works on: what its rows will be made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision.backends.host_copy import HostCopy
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.serving.resident_model import Measured, ResidentModel


@dataclass(frozen=True, slots=True, eq=False)
class Shadowed:
    """A shadow that was resident when the batch was launched, and what it measures."""

    model: ResidentModel
    measured: Measured


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The batch's pictures of one product, judged by the model that was resident at the launch.

    Attributes:
        indices: their places in the batch.
        requests, pictures: they themselves.
        features: float32 [n, dim].
        model, measured: None while the product has no champion.
        shadow: None where nothing judges beside it.
    """

    indices: Sequence[int]
    requests: Sequence[InspectionRequest]
    pictures: Sequence[PreparedPicture]
    features: HostCopy
    model: ResidentModel | None
    measured: Measured | None
    shadow: Shadowed | None


@dataclass(frozen=True, slots=True, eq=False)
class Launched:
    """A whole batch."""

    groups: Sequence[Group]
