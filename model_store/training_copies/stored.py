"""Stored copies of pictures as what a fit takes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import numpy as np

from model_store.serving.rejudge import vectors_of
from model_store.training_copies.copies import Copies

StoredCopies = Mapping[UUID, Mapping[str, bytes]]  # by picture and copy: float16, little endian


def copies_among(
    ids: Sequence[UUID], stored: StoredCopies, names: Collection[str]
) -> Copies | None:
    """The copies of these pictures, by their place in `ids`; None where there are none.

    Args:
        ids: of pictures, in the order of a fit's rows.
        stored: the copies that there are.
        names: of the copies that are wanted.

    Raises:
        ModelError: vectors differ in length.
    """
    rows = [
        (place, vector)
        for place, id_ in enumerate(ids)
        for name, vector in stored.get(id_, {}).items()
        if name in names
    ]
    if not rows:
        return None
    vectors = vectors_of([vector for _, vector in rows])
    return Copies(vectors, np.array([place for place, _ in rows], dtype=np.int64))
