"""Two versions and the pictures to compare them on: read once, then asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Engine

from db import products
from db.labels import labels
from db.labels.compared_pictures import GoldenPictures, golden_pictures, parts_with_golden
from db.labels.picture_parts import Unit, split_note
from db.models import feature_copies, feature_spaces, versions
from db.models.versions import VersionInfo
from db.session import reading
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.fitting.fit_again import fit_again
from model_store.gate.contender import Contender
from model_store.gate.equal_overkill import TARGET
from model_store.gate.evidence import Evidence, GoldenSet, collect
from model_store.store import ModelStore
from model_store.training_copies.stored import StoredCopies
from training.prompts import few_shot_fit, prompted_fit, prompts_version
from training.stored_model import load


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What the database knows of two versions and their product's pictures.

    Attributes:
        classes: the product's.
        good_class: the one that passes, or None.
        champion, challenger: the versions.
        labels: each labelled picture's class, as it is known now.
        labels_then: by version, the labels that were known when it was made.
        vectors: by fingerprint, the stored features of labelled and golden pictures.
        copies: by fingerprint, the stored features of copies of these pictures.
        golden: the golden set.
        parts: the name of each labelled or golden picture's part; see `db.labels.picture_parts`.
        versions: all of the product, newest first: among them are its prompts.
        split_note: what is to be known of folds by lot, or None.
        escape_target: the share of the defects that may pass, as the product's file says, or None.
    """

    classes: tuple[str, ...]
    good_class: str | None
    champion: VersionInfo
    challenger: VersionInfo
    labels: Mapping[UUID, str]
    labels_then: Mapping[str, Mapping[UUID, str]]
    vectors: Mapping[str, Mapping[UUID, bytes]]
    copies: Mapping[str, StoredCopies]
    golden: GoldenSet
    parts: Mapping[UUID, str]
    versions: Sequence[VersionInfo]
    split_note: str | None
    escape_target: float | None

    @classmethod
    def read(
        cls,
        engine: Engine,
        champion: str,
        challenger: VersionInfo,
        golden_set: str,
        by: Unit = "part",
    ) -> Comparison:
        """Read all that a comparison takes.

        Args:
            engine: the database.
            champion: the name of a version.
            challenger: another version of the same product, or the same one.
            golden_set: LINEWATCH_GOLDEN_SET.
            by: what folds are to keep together.

        Raises:
            ModelError: there is no such version, or it is another product's.
            UnknownProductError: the product is not registered.
            ProductError: its row cannot be read.
        """
        product = challenger.product
        old = versions.require(engine, champion)
        if old.product != product:
            raise ModelError(
                f"{champion} is for {old.product} and {challenger.version} for {product}"
            )
        spec = products.require(engine, product)
        known = labels.latest(engine, product)
        then = {
            info.version: labels.latest(engine, product, until=info.created_at)
            for info in (old, challenger)
        }
        parts = parts_with_golden(engine, product, known, "part")
        golden = golden_pictures(engine, product, golden_set)
        units = parts if by == "part" else parts_with_golden(engine, product, known, by)
        pictures = sorted(known.keys() | golden.members.keys())
        prints = {old.fingerprint, challenger.fingerprint}
        vectors = {one: feature_spaces.vectors(engine, pictures, one) for one in prints}
        copies = {one: feature_copies.vectors(engine, pictures, one) for one in prints}
        others = versions.versions(engine, product)
        with reading(engine) as connection:
            note = split_note(connection, product, known, by)
        return cls(
            spec.class_codes,
            spec.good_class,
            old,
            challenger,
            known,
            then,
            vectors,
            copies,
            _golden_set(golden, parts),
            units,
            others,
            note,
            spec.escape_target,
        )

    def evidence(self, store: ModelStore, settings: Settings) -> Evidence:
        """What both say of the same pictures; see `model_store.gate.evidence`.

        Raises:
            ModelError: a version's files are damaged, or stored features do not fit it.
            TrainingError: a version cannot be fitted again on what it was fitted on.
        """
        target = self.target(settings)
        found = collect(
            self.contender(self.champion, store),
            self.contender(self.challenger, store),
            self.labels,
            self.golden,
            parts=self.parts,
            classes=self.classes,
            good_class=self.good_class,
            folds=settings.folds,
            random_state=settings.random_state,
            target=target,
        )
        if self.split_note is None:
            return found
        return replace(found, notes=(*found.notes, self.split_note))

    def target(self, settings: Settings) -> float:
        """The share of the defects that may pass: what the product's file says comes first."""
        return self.escape_target or settings.escape_target or TARGET

    def contender(self, info: VersionInfo, store: ModelStore) -> Contender:
        """One of the two versions, loaded.

        Raises:
            ModelError: its files are damaged.
        """
        told, vectors = self.labels_then[info.version], self.vectors[info.fingerprint]
        prompts = prompts_version(self.versions, info.fingerprint, info.encoders)
        model = load(store, info)
        fit = fit_again(
            model.manifest,
            info.kind,
            few_shot=lambda: few_shot_fit(store, info.product, self.classes, prompts),
            prompted=lambda fit, rare: prompted_fit(fit, store, info.product, prompts, rare),
        )
        return Contender(model, vectors, told, fit, self.copies[info.fingerprint])


def _golden_set(found: GoldenPictures, parts: Mapping[UUID, str]) -> GoldenSet:
    """The golden set, and all pictures of golden parts."""
    held = {parts[id_] for id_ in found.every if id_ in parts}
    barred = found.every.union(id_ for id_, part in parts.items() if part in held)
    return GoldenSet(found.name, found.members, found.digest, found.others, barred)
