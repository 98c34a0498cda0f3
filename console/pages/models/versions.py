"""The versions of a product, what serves, and what was trained and decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field

from console.access.roles import Role
from console.access.signature import Signing, signing_for
from console.page import Context, Page, Visit
from db import products
from db.models import deployments, gate_decisions, runs, versions

MEANINGS = ("approval", "responsibility")
_NEWEST = 20


@dataclass(frozen=True)
class AskedModels:
    """Whose versions; without a product the first one's."""

    product: Annotated[str | None, Query(max_length=4096)] = None


class Version(Context):
    """A model version."""

    version: str = Field(description="Its name.")
    role: str = Field(description="champion, shadow, or empty.")
    kind: str = Field(description="fitted, zero-shot, few-shot or good-only.")
    promise: str | None = Field(description="What it promises, in short.")
    provisional: bool = Field(description="Parts pass although the labels prove no promise.")
    trained_at: datetime = Field(description="When.")
    encoders: str = Field(description="Which encoders its features are of.")


class Run(Context):
    """A training run."""

    id: int = Field(description="Its number.")
    started_at: datetime = Field(description="When.")
    trigger: str = Field(description="Who or what started it.")
    state: str = Field(description="running, succeeded, failed or skipped.")
    stage: str | None = Field(description="What it is at.")
    progress: float | None = Field(description="From 0 to 1.")
    version: str | None = Field(description="The version that it made.")
    error: str | None = Field(description="Why it failed.")


class GateWord(Context):
    """What the gate said of a challenger."""

    decided_at: datetime = Field(description="When.")
    challenger: str = Field(description="Of which version.")
    champion: str | None = Field(description="Compared with which; none: it was the first.")
    outcome: str = Field(description="passed, failed, undecided or first.")
    reasons: list[str] = Field(description="Why.")
    by: str = Field(description="Who asked.")


class Change(Context):
    """A change of what serves."""

    since: datetime = Field(description="From when on.")
    role: str = Field(description="champion or shadow.")
    version: str | None = Field(description="Which version; none: no version any more.")
    by: str = Field(description="Who did it.")
    why: str = Field(description="Why.")


class Models(Context):
    """The versions of a product."""

    products: list[str] = Field(description="Products that can be looked at.")
    product: str | None = Field(description="Whose versions these are; none: no product yet.")
    champion: str | None = Field(description="The version that judges; none: people do.")
    shadow: str | None = Field(description="The version that judges beside it without a say.")
    before: str | None = Field(description="The version that a rollback brings back.")
    versions: list[Version] = Field(description="Newest first.")
    runs: list[Run] = Field(description="The newest training runs.")
    decisions: list[GateWord] = Field(description="The gate's newest words.")
    history: list[Change] = Field(description="What served when, newest first.")
    signing: Signing = Field(description="What a signature needs.")


def read(visit: Visit, asked: AskedModels) -> Models:
    """All that is known of a product's versions."""
    engine = visit.site.engine
    known = products.codes(engine)
    product = asked.product or (known[0] if known else None)
    if product is None:
        return _nothing(visit)
    products.require(engine, product)
    champion = deployments.champion(engine, product)
    shadow = deployments.shadows(engine).get(product)
    history = deployments.history(engine, product)
    served = [one.version for one in reversed(history) if one.role == "champion"]
    earlier = deployments.earlier_champions(served)
    return Models(
        products=known,
        product=product,
        champion=champion,
        shadow=shadow,
        before=earlier[-1] if earlier else None,
        versions=[_version(one, champion, shadow) for one in versions.versions(engine, product)],
        runs=[_run(one) for one in runs.runs(engine, product, _NEWEST)],
        decisions=[gate_word(one) for one in gate_decisions.newest(engine, product, _NEWEST)],
        history=[
            Change(since=one.since, role=one.role, version=one.version, by=one.by, why=one.why)
            for one in history[:_NEWEST]
        ],
        signing=signing_for(visit, MEANINGS),
    )


def _nothing(visit: Visit) -> Models:
    return Models(
        products=[],
        product=None,
        champion=None,
        shadow=None,
        before=None,
        versions=[],
        runs=[],
        decisions=[],
        history=[],
        signing=signing_for(visit, MEANINGS),
    )


def _version(one: versions.VersionInfo, champion: str | None, shadow: str | None) -> Version:
    roles = {champion: "champion", shadow: "shadow"}
    return Version(
        version=one.version,
        role=roles.get(one.version, ""),
        kind=one.kind,
        promise=one.promise,
        provisional=one.provisional,
        trained_at=one.created_at,
        encoders=one.encoders,
    )


def _run(one: runs.RunInfo) -> Run:
    return Run(
        id=one.id,
        started_at=one.started_at,
        trigger=one.trigger,
        state=one.state,
        stage=one.stage,
        progress=one.progress,
        version=one.model_version,
        error=one.error,
    )


def gate_word(one: gate_decisions.DecisionRow) -> GateWord:
    """A decision as pages show it."""
    return GateWord(
        decided_at=one.decided_at,
        challenger=one.challenger,
        champion=one.champion,
        outcome=one.outcome,
        reasons=one.reasons,
        by=one.by,
    )


PAGE = Page(
    name="models",
    path="/models",
    title="Models",
    role=Role.VIEWER,
    query=AskedModels,
    context=Models,
    read=read,
    template="models/versions.html",
    rows="versions",
    menu=50,
)
