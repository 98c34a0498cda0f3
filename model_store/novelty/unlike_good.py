"""Both rules against parts unlike good, which share one rate: distance, and patches.

The distance sees what a whole part looks like, the memory of patches what each place does. A part
beyond either border does not pass. Half of the rate each keeps the share of good parts beyond
either border within it, whatever the two have in common (Bonferroni).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.heads.blas import one_blas_thread
from model_store.novelty.one_class import OneClass, fit_one_class
from model_store.novelty.patch_memory import FittedMemory, Tokens, fit_memory
from model_store.validation.folds import Numbers
from quality.arrays import Floats

MOST_TOKENS = 60_000  # that a fit looks at: 300 pictures of one square, 54 MB


@dataclass(frozen=True, slots=True, eq=False)
class GoodPatches:
    """The places of good pictures.

    Attributes:
        look: what made them, as `vision.patch_stages.LOOK` says.
        tokens: float16 [m, p, c], rows of length 1.
        rows: int64 [m], which of the labelled pictures they are of.
    """

    look: str
    tokens: Tokens
    rows: npt.NDArray[np.int64]

    @classmethod
    def of(
        cls, look: str, stored: Mapping[UUID, tuple[int, bytes]], ids: Sequence[UUID]
    ) -> Self | None:
        """Those that are stored of these pictures; None where there are none.

        Pictures of another number of places than most have are left out, and the oldest beyond
        `MOST_TOKENS`: ids are in the order of time.

        Args:
            look: what made them.
            stored: by picture the length of a token, and its tokens as float16, little endian.
            ids: of the labelled pictures, in their order.
        """
        sizes = Counter((width, len(data)) for width, data in stored.values())
        if not sizes:
            return None
        width, size = max(sizes, key=lambda one: (sizes[one], one))
        places = size // (2 * width)
        kept = [n for n, id_ in enumerate(ids) if _is(stored.get(id_), width, size)]
        kept = sorted(kept, key=lambda n: ids[n])[-max(1, MOST_TOKENS // places) :]
        if not kept:
            return None
        joined = np.frombuffer(b"".join(stored[ids[n]][1] for n in kept), dtype="<f2")
        return cls(look, joined.reshape(len(kept), places, width), np.array(kept, np.int64))


def _is(found: tuple[int, bytes] | None, width: int, size: int) -> bool:
    return found is not None and (found[0], len(found[1])) == (width, size)


@dataclass(frozen=True, slots=True, eq=False)
class UnlikeGoodRules:
    """What was fitted, and where the labelled pictures lie by it.

    Attributes:
        one_class: None where there are too few good parts.
        memory: likewise, or where nobody looked at their places.
        from_good, from_patches: float64 [n]: of good pictures without their part, of others as a
            worker would measure them; NaN where that is not known.
    """

    one_class: OneClass | None
    memory: FittedMemory | None
    from_good: Floats
    from_patches: Floats


def fit_unlike_good(
    features: Floats,
    good: npt.NDArray[np.bool_],
    rate: float,
    parts: Numbers,
    patches: GoodPatches | None = None,
) -> UnlikeGoodRules:
    """Fit what the good parts suffice for.

    Args:
        features: float64 [n, d].
        good: bool [n], which pictures show good parts.
        rate: the share of good parts that may lie beyond either border.
        parts: int64 [n], the number of each picture's part.
        patches: of good pictures, where they were looked at.
    """
    from_good, from_patches = (np.full(len(features), np.nan) for _ in range(2))
    memory = _memory(patches, rate / 2, parts)
    if memory is not None and patches is not None:
        from_patches[patches.rows] = memory.left_out
        rate /= 2
    try:
        found = fit_one_class(features[good], rate, parts[good])
    except ModelError:  # too few good parts to tell what they look like
        return UnlikeGoodRules(None, memory, from_good, from_patches)
    from_good[good] = found.left_out
    from_good[~good] = found.measure.distances(features[~good])
    return UnlikeGoodRules(found, memory, from_good, from_patches)


def _memory(patches: GoodPatches | None, rate: float, parts: Numbers) -> FittedMemory | None:
    if patches is None:
        return None
    try:
        with one_blas_thread():
            return fit_memory(patches.tokens, rate, parts[patches.rows], look=patches.look)
    except ModelError:  # too few parts
        return None
