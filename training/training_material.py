"""What a model learns from, read once."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine

from db.clock import database_now
from db.labels import golden_members, labels
from db.labels.labels import TrainingExample
from db.labels.picture_parts import Unit, split_note
from db.models import deployments, feature_copies, patch_tokens, versions
from db.models.feature_spaces import FeatureSpace
from db.models.versions import VersionInfo
from db.session import reading
from linewatch.errors import TrainingError
from linewatch.product_options import Fit, ProductOptions, Roi
from linewatch.products import Costs, ProductSpec
from model_store.training_copies.stored import StoredCopies
from training.prompts import prompts_version
from training.spaces.framing import training_space
from vision.copy_names import copy_names
from vision.fingerprint import framing_of, recipe_of
from vision.framing import Framing
from vision.patch_stages import LOOK

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class TrainingMaterial:
    """What a run learns from.

    Attributes:
        product: whose.
        classes: the product's.
        good_class: the one that passes, or None.
        costs: the product's own, or None.
        options: what else its file says.
        space: what made the features.
        recipe: of that space.
        framing: of that space, as a manifest has it: fit and region of interest.
        rows: labelled pictures and their features, by id. Those of golden parts are not among
            them, nor those whose label is of a class that the product no longer has.
        symmetry: the names of the copies that the product's symmetry allows.
        copies: the stored ones of these pictures.
        patches: the stored places of good ones, see `db.models.patch_tokens.tokens`.
        prompts: the version that holds the product's prompts in this space, or None.
        serving: the version that serves now, or None.
        as_of: labels that come later were not learned from.
        split_note: what is to be known of splits by lot, or None.
    """

    product: str
    classes: tuple[str, ...]
    good_class: str | None
    costs: Costs | None
    options: ProductOptions
    space: FeatureSpace
    recipe: str
    framing: tuple[Fit | None, Roi | None]
    rows: Sequence[TrainingExample]
    symmetry: tuple[str, ...]
    copies: StoredCopies
    patches: Mapping[UUID, tuple[int, bytes]]
    prompts: VersionInfo | None
    serving: VersionInfo | None
    as_of: datetime
    split_note: str | None

    @classmethod
    def read(
        cls,
        engine: Engine,
        spec: ProductSpec,
        recipe: str,
        by: Unit = "part",
        *,
        framing: Framing | None = None,
    ) -> TrainingMaterial:
        """Read all that a run takes.

        Args:
            engine: the database.
            spec: the product.
            recipe: of the features, as LINEWATCH_RECIPE has it, once enough are there.
            by: what its splits are to keep together.
            framing: of the features, if no other will do.

        Raises:
            TrainingError: there is nothing to learn from; says why.
        """
        space = training_space(engine, spec, recipe, framing)
        if space is None:
            raise TrainingError(_nothing_to_learn(engine, spec))
        of_space = recipe_of(space.encoders), framing_of(space.encoders).stored
        product, classes, good_class = spec.product, spec.class_codes, spec.good_class
        rows = labels.training_set(engine, product, space.fingerprint, by=by)
        with reading(engine) as connection:
            as_of = database_now(connection)
        known = versions.versions(engine, product)
        champion = deployments.champion(engine, product)
        kept = [row for row in rows if row.label in classes]
        if not kept:
            raise TrainingError(_nothing_to_learn(engine, spec))
        if len(kept) < len(rows):
            gone = sorted({row.label for row in rows} - set(classes))
            log.warning(
                "%s: %d labels of classes that it no longer has (%s) are left out",
                product,
                len(rows) - len(kept),
                ", ".join(gone),
            )
        prompts = prompts_version(known, space.fingerprint, space.encoders)
        symmetry = copy_names(spec.symmetry) if spec.symmetry else ()
        copies: StoredCopies = {}
        if symmetry:
            ids = [row.id for row in kept]
            copies = feature_copies.vectors(engine, ids, space.fingerprint)
        good = [row.id for row in kept if row.label == good_class]
        with reading(engine) as connection:
            note = split_note(connection, product, [row.id for row in kept], by)
        return cls(
            product=product,
            classes=classes,
            good_class=good_class,
            costs=spec.costs,
            options=spec,
            space=space,
            recipe=of_space[0],
            framing=of_space[1],
            rows=kept,
            symmetry=symmetry,
            copies=copies,
            patches=patch_tokens.tokens(engine, good, space.fingerprint, LOOK),
            prompts=prompts,
            serving=next((one for one in known if one.version == champion), None),
            as_of=as_of,
            split_note=note,
        )


def _nothing_to_learn(engine: Engine, spec: ProductSpec) -> str:
    """Why no labelled picture is there to learn from, and what to do."""
    name, said = spec.product, labels.latest(engine, spec.product)
    barred = golden_members.every_member(engine, name)
    mine = {id_: label for id_, label in said.items() if id_ not in barred}
    if said and not mine:
        return (
            f"all {len(said)} labelled pictures of {name} are golden, and no model learns from "
            "those; label others with `linewatch labels import`, or make a model of its prompts "
            f"alone with `linewatch models zero-shot {name}`"
        )
    gone = sorted(set(mine.values()) - set(spec.class_codes))
    if mine and len(gone) == len(set(mine.values())):
        return f"all labels of {name} are of classes that it no longer has: {', '.join(gone)}"
    return (
        f"{name} has no labelled picture with stored features; label some with "
        "`linewatch labels import`"
    )
