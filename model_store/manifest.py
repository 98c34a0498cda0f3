"""`manifest.json`: what a model version is, was made from, and how well it did."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    model_serializer,
    model_validator,
)

from linewatch import __version__
from linewatch.product_options import Fit, Roi
from linewatch.unknown_keys import short
from model_store.heads.kinds import HeadKind
from model_store.novelty.one_class import UnlikeGood
from model_store.novelty.patch_memory import Remembered
from model_store.validation.metrics import Metrics
from model_store.verdicts.decision_report import DecisionReport
from model_store.verdicts.verdict import Thresholds
from vision.fingerprint import RECIPE

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]
Kind = Literal["fitted", "zero-shot", "few-shot", "good-only"]

# Fields that came after format 1: left out at their defaults, so that a manifest written before
# them keeps its digest.
_LATER = {
    "decisions": None,
    "kind": "fitted",
    "fit": None,
    "roi": None,
    "weighting": None,
    "copies": (),
    "requires": (),
    "unlike_good": None,
    "part_counts": None,
    "head": None,
    "prompted": (),
    "patches": None,
}
KNOWN_REQUIREMENTS: frozenset[str] = frozenset()  # words of `requires` that this version keeps to
_LIBRARIES = ("numpy", "scikit-learn", "safetensors", "torch", "open_clip_torch", "transformers")


class ManifestDraft(BaseModel):
    """What the trainer knows. The store adds the rest when it writes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    product: str
    number: int = Field(ge=1, description="Counts a product's versions from 1.")
    good_class: str | None
    fingerprint: Sha256
    encoders: str = Field(description="The encoders in words.")
    recipe: str = RECIPE
    thresholds: Thresholds
    training_digest: Sha256 = Field(description="Of the sorted (inspection id, label) pairs.")
    image_counts: dict[str, Count] = Field(description="Labelled images a class.")
    metrics: Metrics | None = Field(description="Null where nothing could be cross-validated.")
    kind: Kind = Field(
        default="fitted", description="From labels, prompts, or both; or from good parts alone."
    )
    parent: str | None = Field(default=None, description="The champion when this was trained.")
    created_at: AwareDatetime
    trained_by: str = f"linewatch {__version__}"
    decisions: DecisionReport | None = Field(
        default=None, description="What the rules do to pictures the model had not seen."
    )

    fit: Fit | None = Field(
        default=None, description="How its pictures were brought to size; null: as in 0.1."
    )
    roi: Roi | None = Field(default=None, description="The part of them that was looked at.")
    unlike_good: UnlikeGood | None = Field(
        default=None, description="What the rules that keep parts unlike the good ones cost."
    )
    part_counts: dict[str, Count] | None = Field(
        default=None, description="Labelled parts a class; null: not counted."
    )
    weighting: Literal["even"] | None = Field(
        default=None,
        description="even: good counted as much as all defects together; null: every label alike.",
    )
    copies: tuple[str, ...] = Field(
        default=(), description="The copies of its pictures that it learned from, by name."
    )
    head: HeadKind | None = Field(
        default=None, description="The kind of head; null: logistic, or made of prompts."
    )
    prompted: tuple[str, ...] = Field(
        default=(), description="Classes of few labels that their prompts helped."
    )
    patches: Remembered | None = Field(
        default=None, description="What is remembered of good parts' patches."
    )
    requires: tuple[str, ...] = Field(
        default=(), description="What a reader must know of, or leave the model alone."
    )

    @model_serializer(mode="wrap")
    def _without_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        return {k: v for k, v in data.items() if k not in _LATER or v not in (_LATER[k], [])}


class Manifest(ManifestDraft):
    """The whole file. `manifest_sha256` covers every other field, known here or not.

    A later version may say more at the top level; what it says there may be left out of account,
    unless `requires` names it. What stands deeper, as the thresholds do, decides verdicts: a key
    that is not known there makes the model one that this version cannot serve.
    """

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    format: Literal[1] = 1
    version: str
    classes: tuple[str, ...] = Field(min_length=1)
    feature_dim: int = Field(ge=1)
    converged: bool
    libraries: dict[str, str]
    head_sha256: Sha256
    head_bytes: int = Field(ge=1)
    manifest_sha256: str = ""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        beyond = sorted(set(self.requires) - KNOWN_REQUIREMENTS)
        if beyond:
            raise ValueError(
                f"it needs what this Linewatch does not know: {', '.join(map(short, beyond))}"
            )
        if set(self.image_counts) != set(self.classes):
            raise ValueError("image_counts and classes name different classes")
        if len(self.classes) < 2 and self.kind != "good-only":
            raise ValueError("one class is no choice; only a model of good parts alone has one")
        if self.kind == "good-only" and self.thresholds.unlike_good_above is None:
            raise ValueError("a model of good parts alone needs a border, or it would pass all")
        return self

    def digest(self) -> str:
        """SHA-256 of the canonical JSON of every field but `manifest_sha256`."""
        data = self.model_dump(mode="json", exclude={"manifest_sha256"})
        text = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def sealed(self) -> Self:
        """A copy that carries its digest."""
        return self.model_copy(update={"manifest_sha256": self.digest()})


def library_versions() -> dict[str, str]:
    """The versions of the libraries that made a model; those not installed are left out."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
