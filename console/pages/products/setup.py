"""What the page of one product shows: its file, its pictures, its models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from console.access.roles import Role
from console.access.signature import Signing, signing_for
from console.page import Context, Page, Visit
from console.pages.products.product_file import as_yaml, revision
from console.refusals import NotThere
from db import products
from db.inspections import set_up
from db.models import deployments, runs, versions
from linewatch.product_options import Rectangle
from linewatch.products import ProductSpec

ENOUGH = 30  # good pictures, to begin
MEANINGS = ("approval", "review", "responsibility")
_SHOWN, _VERSIONS = 24, 5


class ClassRow(Context):
    """A class, and how many pictures show it."""

    code: str = Field(description="What labels say.")
    good: bool = Field(description="Whether it passes.")
    prompts: list[str] = Field(description="Sentences that describe it.")
    pictures: int = Field(description="Handed over here and looked at by a worker.")
    labelled: int = Field(description="That have its label, wherever they came from.")


class Region(Context):
    """The part of a picture that is looked at, in fractions."""

    x: float = Field(description="Of the left edge.")
    y: float = Field(description="Of the upper edge.")
    width: float = Field(description="Of the picture's.")
    height: float = Field(description="Of the picture's.")


class Run(Context):
    """The latest training run."""

    state: str = Field(description="running, succeeded or failed.")
    stage: str | None = Field(description="What it is at.")
    progress: float | None = Field(description="How far it has come, 0 to 1.")
    started_at: datetime = Field(description="When it began.")
    error: str | None = Field(description="Why it failed.")
    version: str | None = Field(description="What it made.")


class Version(Context):
    """A model that was trained."""

    version: str = Field(description="Its name.")
    created_at: datetime = Field(description="When it was made.")
    kind: str = Field(description="fitted, zero-shot, few-shot or good-only.")
    serves: bool = Field(description="Whether its verdicts count.")
    shadow: bool = Field(description="Whether it judges beside, without a say.")
    accuracy: float | None = Field(description="In cross-validation, by part, 0 to 1.")
    macro_f1: float | None = Field(description="In cross-validation, by part, 0 to 1.")
    promise: str | None = Field(description="What cross-validation promises, in words.")
    provisional: bool = Field(description="Whether parts pass although nothing proves the promise.")


class Setup(Context):
    """A product, from its file to its model."""

    product: str = Field(description="Its code.")
    name: str = Field(description="Its name.")
    classes: list[ClassRow] = Field(description="In the file's order.")
    region: Region | None = Field(description="The region of interest, where it is a rectangle.")
    polygon: bool = Field(description="Whether the region is a polygon, which the file alone says.")
    views: list[str] = Field(description="The cameras that see each part; empty: not said.")
    escape_target: float | None = Field(description="Share of the defects that may pass.")
    audit_share: float | None = Field(description="Share of the parts that people see too.")
    yaml: str = Field(description="The product's file.")
    file: str | None = Field(description="Where it lies; none: in the database alone.")
    revision: str = Field(description="Of what is shown; a form brings it back.")
    enough: int = Field(description="Good pictures to begin with.")
    good: int = Field(description="Good pictures there are: labelled, or handed over as such.")
    waiting: int = Field(description="Pictures accepted that no worker has looked at yet.")
    unusable: int = Field(description="Pictures that could not be judged.")
    pictures: list[UUID] = Field(description="The newest ones, for a look.")
    run: Run | None = Field(description="The latest training run.")
    champion: str | None = Field(description="Which version serves; none: no version does.")
    beside: str | None = Field(description="Which version judges beside it, in the shadow.")
    versions: list[Version] = Field(description="The newest models.")
    signing: Signing = Field(description="What a signature needs, to promote.")


@dataclass(frozen=True)
class AskedProduct:
    """Which product."""

    product: str


def read(visit: Visit, query: AskedProduct) -> Setup:
    """Everything of a product.

    Raises:
        NotThere: there is no such product.
    """
    engine, settings = visit.site.engine, visit.site.settings
    spec = products.get(engine, query.product)
    if spec is None:
        raise NotThere(f"there is no product {query.product[:64]!r}")
    found = set_up.pictures(engine, spec.product)
    usable = [one for one in found if one.verdict not in ("rejected", "dead_letter")]
    seen = Counter(one.label for one in usable)
    labelled, good = set_up.labelled_by_class(engine, spec.product), spec.good_class
    unlabelled = Counter(one.label for one in usable if not one.labelled)
    folder = settings.products_dir
    region = spec.roi if isinstance(spec.roi, Rectangle) else None
    serving = deployments.champions(engine).get(spec.product)
    return Setup(
        product=spec.product,
        name=spec.name,
        classes=_classes(spec, seen, labelled),
        region=None if region is None else Region(**region.model_dump()),
        polygon=spec.roi is not None and region is None,
        views=list(spec.views or ()),
        escape_target=spec.escape_target,
        audit_share=spec.audit_share,
        yaml=as_yaml(spec),
        file=None if folder is None else str(folder / f"{spec.product}.yaml"),
        revision=revision(spec),
        enough=ENOUGH,
        good=0 if good is None else labelled.get(good, 0) + unlabelled[good],
        waiting=len(visit.site.intake.waiting(set_up.LINE, spec.product)),
        unusable=len(found) - len(usable),
        pictures=[one.id for one in usable[:_SHOWN]],
        run=_run(runs.latest_run(engine, spec.product)),
        champion=serving,
        beside=deployments.shadows(engine).get(spec.product),
        versions=_versions(visit, spec.product, serving),
        signing=signing_for(visit, MEANINGS),
    )


def _classes(
    spec: ProductSpec, seen: Counter[str | None], labelled: Mapping[str, int]
) -> list[ClassRow]:
    return [
        ClassRow(
            code=one.code,
            good=one.good,
            prompts=list(one.prompts),
            pictures=seen[one.code],
            labelled=labelled.get(one.code, 0),
        )
        for one in spec.classes
    ]


def _run(run: runs.RunInfo | None) -> Run | None:
    if run is None:
        return None
    return Run(
        state=run.state,
        stage=run.stage,
        progress=run.progress,
        started_at=run.started_at,
        error=run.error,
        version=run.model_version,
    )


def _versions(visit: Visit, product: str, serving: str | None) -> list[Version]:
    engine = visit.site.engine
    shadow = deployments.shadows(engine).get(product)
    figures = {run.model_version: run for run in runs.runs(engine, product)}
    return [
        Version(
            version=one.version,
            created_at=one.created_at,
            kind=one.kind,
            serves=one.version == serving,
            shadow=one.version == shadow,
            accuracy=figures[one.version].accuracy if one.version in figures else None,
            macro_f1=figures[one.version].macro_f1 if one.version in figures else None,
            promise=one.promise,
            provisional=one.provisional,
        )
        for one in versions.versions(engine, product)[:_VERSIONS]
    ]


SETUP = Page(
    name="setup",
    path="/products/{product}",
    title="Set up a product",
    role=Role.ENGINEER,
    query=AskedProduct,
    context=Setup,
    read=read,
    template="products/setup.html",
)
