"""Two versions and the pictures to compare them on: read once, then asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy import Engine

from db import products
from db.labels import golden_members, golden_sets, labels
from db.labels.picture_parts import Unit, parts_of_pictures
from db.models import feature_spaces, versions
from db.models.versions import VersionInfo
from db.session import reading
from linewatch.errors import ModelError
from linewatch.settings import Settings
from model_store.contender import Contender
from model_store.equal_overkill import TARGET
from model_store.evidence import Evidence, GoldenSet, collect
from model_store.fit import fit_head
from model_store.folds import Fit
from model_store.manifest import Manifest
from model_store.store import ModelStore
from training.prompts import few_shot_fit, prompts_version
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
        golden: the golden set.
        parts: the name of each labelled or golden picture's part; see `db.labels.picture_parts`.
        versions: all of the product, newest first: among them are its prompts.
    """

    classes: tuple[str, ...]
    good_class: str | None
    champion: VersionInfo
    challenger: VersionInfo
    labels: Mapping[UUID, str]
    labels_then: Mapping[str, Mapping[UUID, str]]
    vectors: Mapping[str, Mapping[UUID, bytes]]
    golden: GoldenSet
    parts: Mapping[UUID, str]
    versions: Sequence[VersionInfo]

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
        """
        product = challenger.product
        old = versions.require(engine, champion)
        if old.product != product:
            raise ModelError(
                f"{champion} is for {old.product} and {challenger.version} for {product}"
            )
        classes = products.classes(engine, product)
        known = labels.latest(engine, product)
        then = {
            info.version: labels.latest(engine, product, until=info.created_at)
            for info in (old, challenger)
        }
        parts = _parts(engine, product, known, "part")
        golden = _golden(engine, product, golden_set, parts)
        units = parts if by == "part" else _parts(engine, product, known, by)
        pictures = sorted(known.keys() | golden.members.keys())
        vectors = {
            fingerprint: feature_spaces.vectors(engine, pictures, fingerprint)
            for fingerprint in {old.fingerprint, challenger.fingerprint}
        }
        others = versions.versions(engine, product)
        return cls(
            classes.codes,
            classes.good,
            old,
            challenger,
            known,
            then,
            vectors,
            golden,
            units,
            others,
        )

    def evidence(self, store: ModelStore, settings: Settings) -> Evidence:
        """What both say of the same pictures; see `model_store.evidence`.

        Raises:
            ModelError: a version's files are damaged, or stored features do not fit it.
            TrainingError: a version cannot be fitted again on what it was fitted on.
        """
        return collect(
            self.contender(self.champion, store),
            self.contender(self.challenger, store),
            self.labels,
            self.golden,
            parts=self.parts,
            classes=self.classes,
            good_class=self.good_class,
            folds=settings.folds,
            random_state=settings.random_state,
            target=self.target(settings),
        )

    def target(self, settings: Settings) -> float:
        """The share of the defects that may pass."""
        return settings.escape_target or TARGET

    def contender(self, info: VersionInfo, store: ModelStore) -> Contender:
        """One of the two versions, loaded.

        Raises:
            ModelError: its files are damaged.
        """
        told, vectors = self.labels_then[info.version], self.vectors[info.fingerprint]
        model = load(store, info)
        fit = self._fit(info, model.manifest, store)
        return Contender(model, vectors, told, fit)

    def _fit(self, info: VersionInfo, manifest: Manifest, store: ModelStore) -> Fit | None:
        if info.kind == "zero-shot":
            return None
        if info.kind == "few-shot":
            prompts = prompts_version(self.versions, info.fingerprint, info.encoders)
            return few_shot_fit(store, info.product, self.classes, prompts)
        even_with = manifest.good_class if manifest.weighting == "even" else None
        return partial(fit_head, even_with=even_with)


def _parts(engine: Engine, product: str, labelled: Collection[UUID], by: Unit) -> dict[UUID, str]:
    """The name of the part of each labelled or golden picture."""
    pictures = {*labelled, *golden_members.every_member(engine, product)}
    with reading(engine) as connection:
        return parts_of_pictures(connection, product, pictures, by)


def _golden(engine: Engine, product: str, golden_set: str, parts: Mapping[UUID, str]) -> GoldenSet:
    name = golden_sets.usual(engine, product, golden_set)
    sets = golden_sets.all_sets(engine, product)
    members = golden_members.members(engine, product, name)
    digest = golden_members.digest(members) if members else None
    every = golden_members.every_member(engine, product)
    held = {parts[id_] for id_ in every if id_ in parts}
    barred = every.union(id_ for id_, part in parts.items() if part in held)
    others = [one.set_name for one in sets if one.set_name != name]
    return GoldenSet(name, members, digest, others, barred)
