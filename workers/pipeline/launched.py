"""A batch that the device works on: what its rows will be made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.serving.resident_model import Measured, ResidentModel


@dataclass(frozen=True, slots=True, eq=False)
class Shadowed:
    """A shadow that was resident when the batch was launched, and what it measures.

    `features` are those of its own space; None: it judges the champion's.
    """

    model: ResidentModel
    measured: Measured
    features: HostCopy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """The batch's pictures of one product and space, judged by what was resident at the launch.

    Attributes:
        indices: their places in the batch.
        requests, pictures: they themselves.
        space: what they were prepared for.
        features: float32 [n, dim].
        model, measured: None while the product has no champion.
        shadow: None where nothing judges beside it.
    """

    indices: Sequence[int]
    requests: Sequence[InspectionRequest]
    pictures: Sequence[PreparedPicture]
    space: FeatureExtractor
    features: HostCopy
    model: ResidentModel | None
    measured: Measured | None
    shadow: Shadowed | None


@dataclass(frozen=True, slots=True, eq=False)
class Launched:
    """A whole batch."""

    groups: Sequence[Group]
