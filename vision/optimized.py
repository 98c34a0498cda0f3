"""Networks that `linewatch optimize` converted, as files: what they are made of is checked.

`<weights_dir>/optimized/<encoders>/<precision>` holds

    model.xml, model.bin   OpenVINO's
    probe.safetensors      a few pictures, their features and tokens by torch in float32
    about.json             source fingerprint, checksums, what was measured
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import load_file, save_file

from linewatch.errors import WeightsError
from linewatch.settings import Settings
from vision.archive import drafted
from vision.probe import Probe
from vision.weights import sha256_of

OptimizedPrecision = Literal["float32", "int8"]

_MODEL, _WEIGHTS, _PROBE, _ABOUT = "model.xml", "model.bin", "probe.safetensors", "about.json"
_ADVICE = "run `linewatch optimize` again"


@dataclass(frozen=True, slots=True)
class About:
    """What about.json says.

    Attributes:
        source: the fingerprint of the float32 features that it was made from.
        precision: float32 or int8.
        pictures: how many it was calibrated on; 0 for float32.
        mean_cosine, least_cosine: to the float32 features, over pictures that it was not
            calibrated on.
        sha256: of each other file.
        versions: of the libraries that made it.
        look: what makes its tokens, as `vision.patch_stages.LOOK` says; '': it gives none.
        mean_token_cosine, least_token_cosine: as above, of single places; None: it gives none.
    """

    source: str
    precision: OptimizedPrecision
    pictures: int
    mean_cosine: float
    least_cosine: float
    sha256: dict[str, str]
    versions: dict[str, str]
    look: str = ""
    mean_token_cosine: float | None = None
    least_token_cosine: float | None = None

    @property
    def digest(self) -> str:
        """What names these very numbers: the checksums of structure and weights."""
        return f"{self.sha256[_MODEL]:.16}{self.sha256[_WEIGHTS]:.16}"


def folder_of(settings: Settings, precision: OptimizedPrecision) -> Path:
    """Where the optimised network of these settings' encoders lies."""
    return settings.local_weights_dir / "optimized" / settings.encoders / precision


def save(folder: Path, model: Any, probe: Probe, *, about: dict[str, Any]) -> About:
    """Put a model there, in the place of another one; it appears whole.

    Raises:
        WeightsError: `folder` cannot be written.
    """
    import openvino

    with drafted(folder, replace=True) as draft:
        try:
            openvino.save_model(model, draft / _MODEL, compress_to_fp16=False)
            save_file(_tensors_of(probe), draft / _PROBE)
            files = {name: sha256_of(draft / name) for name in (_MODEL, _WEIGHTS, _PROBE)}
            found = About(**about, sha256=files)
            text = json.dumps(asdict(found), indent=1, sort_keys=True) + "\n"
            (draft / _ABOUT).write_text(text, encoding="utf-8")
        except (OSError, RuntimeError) as error:
            raise WeightsError(f"{folder} cannot be written: {error!s:.200}") from None
    return found


def about_of(folder: Path) -> About | None:
    """What lies in `folder`, or None for nothing. Reads about.json alone.

    Raises:
        WeightsError: about.json is damaged.
    """
    try:
        text = (folder / _ABOUT).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WeightsError(f"{folder / _ABOUT} cannot be read: {error.strerror}") from None
    try:
        return TypeAdapter(About).validate_json(text)
    except ValidationError:
        raise WeightsError(f"{folder / _ABOUT} is damaged; {_ADVICE}") from None


def load(folder: Path, *, source: str) -> tuple[Any, Probe, About]:
    """The `openvino.Model` in `folder` with its probe, all checked.

    Args:
        folder: see `folder_of`.
        source: the fingerprint that it must have been made from.

    Raises:
        WeightsError: nothing is there, it is damaged, or was made from other weights.
    """
    import openvino

    about = about_of(folder)
    if about is None:
        raise WeightsError(f"{folder} holds no optimised network; run `linewatch optimize` first")
    if about.source != source:
        raise WeightsError(
            f"{folder} was optimised for other weights or another recipe "
            f"({about.source:.16}, these are {source:.16}); {_ADVICE}"
        )
    changed = [n for n, digest in about.sha256.items() if sha256_of(folder / n) != digest]
    if changed or set(about.sha256) != {_MODEL, _WEIGHTS, _PROBE}:
        raise WeightsError(f"{folder} is damaged ({', '.join(changed) or _ABOUT}); {_ADVICE}")
    try:
        tensors = load_file(folder / _PROBE)
        model = openvino.Core().read_model(folder / _MODEL)
        probe = Probe(tensors["pictures"], tensors["features"], tensors.get("tokens"))
        return model, probe, about
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(f"{folder} cannot be loaded ({error!s:.200}); {_ADVICE}") from None


def _tensors_of(probe: Probe) -> dict[str, torch.Tensor]:
    found = {"pictures": probe.pictures, "features": probe.features, "tokens": probe.tokens}
    # As rows: a transformer's tokens come as a view, which safetensors does not take.
    return {name: tensor.contiguous() for name, tensor in found.items() if tensor is not None}
