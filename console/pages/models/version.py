"""One version: cross-validation, confusion, calibration, risk and coverage, promise, gate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import Field

from console.access.roles import Role
from console.access.signature import Signing, signing_for
from console.page import Context, Page, Visit
from console.pages.models.versions import MEANINGS, GateWord, gate_word
from console.refusals import NotThere
from db.models import deployments, gate_decisions, run_metrics, versions
from db.models import shadow as shadows
from db.models.versions import VersionInfo
from linewatch.errors import ModelError
from model_store.manifest import Manifest
from model_store.promise.words import in_full, unlike_good
from model_store.store import ModelStore
from training.stored_model import load

_DECISIONS = 200


@dataclass(frozen=True)
class AskedVersion:
    """Which version."""

    version: Annotated[str, Path(max_length=4096)] = field(kw_only=True)


class ClassRow(Context):
    """How a class did in cross-validation, in parts that the model had not seen."""

    code: str = Field(description="The class.")
    precision: float | None = Field(description="Of what it called so, the share that was.")
    recall: float | None = Field(description="Of what was so, the share that it called so.")
    f1: float | None = Field(description="Harmonic mean of both.")
    support: int = Field(description="Labelled pictures.")
    scored: bool = Field(description="Whether it had parts enough to be tested.")


class Confusion(Context):
    """How many pictures of each class were taken for which."""

    classes: list[str] = Field(description="In the order of rows and columns.")
    rows: list[list[int]] = Field(description="By actual class; columns by predicted class.")


class Working(Context):
    """What happens if parts less sure than a threshold go to a person."""

    review_below: float = Field(description="The threshold, from 0 to 1.")
    review_share: float = Field(description="Of all parts.")
    escape_rate: float = Field(description="Defects that pass, of all defects.")
    overkill_rate: float = Field(description="Good parts called defect, of all good parts.")
    error_rate: float = Field(description="Wrong classes, of the parts not reviewed.")


class Reliability(Context):
    """Whether the model's certainty can be taken at its word; smaller is better."""

    pictures: int = Field(description="On how many pictures it was measured.")
    temperature: float = Field(description="The logits were divided by it.")
    ece_before: float = Field(description="Expected calibration error of the raw model.")
    ece_after: float = Field(description="The same after calibration.")


class ShadowCount(Context):
    """How often champion and shadow said what of the same pictures."""

    champion_verdict: str = Field(description="The champion's word.")
    shadow_verdict: str = Field(description="The shadow's.")
    pictures: int = Field(description="How many.")


class VersionPage(Context):
    """A model version."""

    version: str = Field(description="Its name.")
    product: str = Field(description="Whose parts it judges.")
    role: str = Field(description="champion, shadow, or empty.")
    champion: str | None = Field(description="The version that judges its product now.")
    beside: str | None = Field(description="The version that judges beside it, in the shadow.")
    kind: str = Field(description="fitted, zero-shot, few-shot or good-only.")
    trained_at: datetime = Field(description="When.")
    parent: str | None = Field(description="The champion when it was trained.")
    encoders: str = Field(description="Which encoders its features are of.")
    head: str | None = Field(description="The kind of its head.")
    fit: str | None = Field(description="How its pictures are brought to size.")
    promises: list[str] = Field(description="What it promises, in sentences.")
    promised: float | None = Field(description="Upper bound of the promised risk, 0 to 1.")
    macro_f1: float | None = Field(description="Mean F1 of the classes that were tested.")
    accuracy: float | None = Field(description="Share of right classes.")
    classes: list[ClassRow] = Field(description="Cross-validation by class.")
    confusion: Confusion | None = Field(description="None where nothing was cross-validated.")
    reliability: Reliability | None = Field(description="None where nothing was calibrated.")
    working: list[Working] = Field(description="Risk and coverage, from no review to all.")
    in_force: Working | None = Field(description="At the threshold in force.")
    decisions: list[GateWord] = Field(description="What the gate said of it, newest first.")
    shadow: list[ShadowCount] = Field(description="Where it is the shadow: what both said.")
    problem: str | None = Field(description="Why its files say nothing.")
    signing: Signing = Field(description="What a signature needs.")


def read(visit: Visit, asked: AskedVersion) -> VersionPage:
    """All that is known of a version; what its files would say is left out where they are gone."""
    engine = visit.site.engine
    info = versions.get(engine, asked.version)
    if info is None:
        raise NotThere(f"no version is called {asked.version!r}")
    manifest, problem = _manifest(visit, info)
    measured = run_metrics.run_metrics(engine, info.version)
    found = None if manifest is None else manifest.decisions
    said = gate_decisions.newest(engine, info.product, _DECISIONS, challenger=info.version)
    role = _role(visit, info)
    return VersionPage(
        version=info.version,
        product=info.product,
        role=role,
        champion=deployments.champion(engine, info.product),
        beside=deployments.shadows(engine).get(info.product),
        kind=info.kind,
        trained_at=info.created_at,
        parent=info.parent,
        encoders=info.encoders,
        head=None if manifest is None else manifest.head,
        fit=None if manifest is None else manifest.fit,
        promises=[*in_full(manifest), *unlike_good(manifest)] if manifest else [],
        promised=found.promise.upper_bound if found and found.promise else None,
        macro_f1=measured.macro_f1 if measured else None,
        accuracy=measured.accuracy if measured else None,
        classes=_classes(measured),
        confusion=_confusion(measured),
        reliability=None
        if found is None
        else Reliability(
            pictures=found.calibration.pictures,
            temperature=found.calibration.temperature,
            ece_before=found.calibration.ece_before,
            ece_after=found.calibration.ece_after,
        ),
        working=[Working(**one.model_dump()) for one in found.curve] if found else [],
        in_force=Working(**found.with_review.model_dump()) if found else None,
        decisions=[gate_word(one) for one in said],
        shadow=_shadow(visit, info) if role == "shadow" else [],
        problem=problem,
        signing=signing_for(visit, MEANINGS),
    )


def _manifest(visit: Visit, info: VersionInfo) -> tuple[Manifest | None, str | None]:
    try:
        return load(ModelStore(visit.site.settings.models_url), info).manifest, None
    except ModelError as error:
        return None, str(error)


def _role(visit: Visit, info: VersionInfo) -> str:
    engine = visit.site.engine
    if deployments.champion(engine, info.product) == info.version:
        return "champion"
    return "shadow" if deployments.shadows(engine).get(info.product) == info.version else ""


def _classes(measured: run_metrics.RunMetrics | None) -> list[ClassRow]:
    return [
        ClassRow(
            code=one.class_code,
            precision=one.precision,
            recall=one.recall,
            f1=one.f1,
            support=one.support,
            scored=one.scored,
        )
        for one in (measured.classes if measured else ())
    ]


def _confusion(measured: run_metrics.RunMetrics | None) -> Confusion | None:
    if measured is None or not measured.confusion:
        return None
    cells = measured.confusion
    names = sorted({one.actual for one in cells} | {one.predicted for one in cells})
    counts = {(one.actual, one.predicted): one.count for one in measured.confusion}
    return Confusion(classes=names, rows=[[counts.get((a, b), 0) for b in names] for a in names])


def _shadow(visit: Visit, info: VersionInfo) -> list[ShadowCount]:
    return [
        ShadowCount(
            champion_verdict=one.champion_verdict,
            shadow_verdict=one.shadow_verdict,
            pictures=one.pictures,
        )
        for one in shadows.agreement(visit.site.engine, info.product, info.version)
    ]


PAGE = Page(
    name="models",
    path="/models/{version}",
    title="Model version",
    role=Role.VIEWER,
    query=AskedVersion,
    context=VersionPage,
    read=read,
    template="models/version.html",
    rows="classes",
)
