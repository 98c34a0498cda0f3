"""Labelled pictures as what fits take: features, class names and parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from uuid import UUID

from model_store.fitting.near_duplicates import with_duplicates
from model_store.serving.rejudge import vectors_of
from model_store.validation.folds import Numbers, part_numbers
from quality.arrays import Floats


class Example(Protocol):
    """One picture as it is stored; see `db.labels.labels.TrainingExample`."""

    @property
    def id(self) -> UUID:
        """Of the picture."""

    @property
    def label(self) -> str:
        """The class that it shows."""

    @property
    def vector(self) -> bytes:
        """Its features, float16, little endian."""

    @property
    def group(self) -> str:
        """The part, or lot, that it shows."""


@dataclass(frozen=True, eq=False)
class LabelledPictures:
    """What a model is fitted on, in one order.

    Attributes:
        ids: of n pictures.
        labels: n class names.
        features: float64 [n, d].
        groups: the name of each picture's part, or lot; pictures that are one picture twice have
            the same.
    """

    ids: tuple[UUID, ...]
    labels: tuple[str, ...]
    features: Floats
    groups: Sequence[str]

    @cached_property
    def parts(self) -> Numbers:
        """int64 [n], the number of each picture's part."""
        return part_numbers(self.groups, len(self.labels))

    @classmethod
    def of(cls, rows: Sequence[Example]) -> LabelledPictures:
        """Stored pictures, at least one.

        Raises:
            ModelError: their vectors differ in length, or are no float16 vectors.
        """
        features = vectors_of([row.vector for row in rows])
        ids, labels = tuple(row.id for row in rows), tuple(row.label for row in rows)
        groups = with_duplicates(ids, [row.group for row in rows], labels, features)
        return cls(ids, labels, features, groups)
