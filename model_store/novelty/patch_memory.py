"""A memory of good parts' patches: how unlike good a part is, and where.

Each place of a picture is a token, and lies as far from good as its nearest neighbour among the
tokens of good parts that are remembered: 1 − cosine. A part is as unlike good as the farthest
hundredth of its places. It sees small flaws that no pooled feature does, and says where they are.

Roth et al., "Towards Total Recall in Industrial Anomaly Detection" (PatchCore), CVPR 2022; Damm et
al., "AnomalyDINO", WACV 2025. Remembered are tokens drawn at random, as many of each picture, not
a greedy coreset: on real and simulated sets both told defects apart equally well, and a border
needs the memory built anew for each fold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from linewatch.errors import ModelError
from model_store.novelty.novelty import novelty_border
from model_store.novelty.one_class import UnlikeGood, turned_away, worst_views
from model_store.validation.folds import Numbers, part_numbers
from quality.arrays import Floats

TOKENS = 2000  # remembered: more hardly tell more, and cost their share of each picture's time
LEAST_PARTS = 20  # good ones
FARTHEST = 0.01  # of the places: what a part's score is the mean of
_FOLDS = 5
_CHUNK = 64  # pictures at once: 64 × 196 × 2000 products are 100 MB

Tokens = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True, eq=False)
class PatchMemory:
    """What good parts look like, place by place.

    Attributes:
        tokens: float16 [m, c], rows of length 1.
        look: what made them, as `vision.patch_stages.LOOK` says; '': not known.

    Raises:
        ModelError: they are no such rows.
    """

    tokens: npt.NDArray[np.float16]
    look: str = ""

    def __post_init__(self) -> None:
        kept = self.tokens
        if kept.ndim != 2 or not len(kept) or kept.dtype != np.float16:
            raise ModelError(f"the memory's tokens {kept.shape} are no float16 rows")
        lengths = np.square(kept.astype(np.float32)).sum(axis=1)
        if not (np.abs(lengths - 1) < 0.01).all():
            raise ModelError("the memory holds tokens that are not of length 1")

    def maps(self, tokens: Tokens) -> Floats:
        """How far each place lies from good: float64 [n, p] from unit rows, float [n, p, c]."""
        known = self.tokens.astype(np.float32).T
        found = [
            (tokens[begin : begin + _CHUNK].astype(np.float32) @ known).max(axis=2)
            for begin in range(0, len(tokens), _CHUNK)
        ]
        nearest = np.concatenate(found) if found else np.zeros(tokens.shape[:2])
        return np.maximum(1 - nearest.astype(np.float64), 0.0)


def scores(maps: Floats) -> Floats:
    """How unlike good each part is: float64 [n], from float64 [n, p]."""
    count = farthest_places(maps.shape[1])
    return np.asarray(np.sort(maps, axis=1)[:, -count:].mean(axis=1))


def farthest_places(places: int) -> int:
    """How many of a picture's places its score is the mean of."""
    return max(1, int(np.ceil(FARTHEST * places)))


class Remembered(BaseModel):
    """What manifests say of a memory of good parts' patches."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    look: str = Field(description="What made the tokens: stages, grid and version.")
    tokens: int = Field(ge=1, description="How many are remembered.")
    pictures: int = Field(ge=1, description="Good pictures that the border was drawn from.")
    cost: UnlikeGood = Field(description="What the border does to good parts to come.")

    def words(self) -> str:
        """For people."""
        return (
            f"{self.tokens} patches of {self.pictures} good pictures are remembered; by their "
            f"border alone, {self.cost.words()}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class FittedMemory:
    """A memory with its border.

    Attributes:
        memory: of all good parts.
        border: the score above which no part passes.
        cost: what the border does to good parts to come.
        left_out: float64 [n], each good picture's score by a memory without its part.
    """

    memory: PatchMemory
    border: float
    cost: UnlikeGood
    left_out: Floats

    @property
    def remembered(self) -> Remembered:
        """What a manifest says of it."""
        memory = self.memory
        return Remembered(
            look=memory.look,
            tokens=len(memory.tokens),
            pictures=len(self.left_out),
            cost=self.cost,
        )


def fit_memory(
    tokens: Tokens,
    rate: float,
    parts: Numbers | None = None,
    *,
    seed: int = 42,
    size: int = TOKENS,
    look: str = "",
) -> FittedMemory:
    """Remember good parts, and draw the border by memories that are built anew without each fifth.

    A picture taken out of a memory that was drawn with it would leave holes where it was, and be
    too far from good: the border would lie too high.

    Args:
        tokens: float [n, p, c] of good pictures, rows of length 1.
        rate: the share of good parts that may lie beyond the border, in (0, 1).
        parts: int64 [n], the number of the part that each picture shows; None: all different.
        seed: of the draw.
        size: how many tokens are remembered.
        look: what made them.

    Raises:
        ModelError: there are fewer than twenty parts.
    """
    place = part_numbers(None if parts is None else parts.tolist(), len(tokens))
    count = int(place.max(initial=-1)) + 1
    if count < LEAST_PARTS:
        raise ModelError(f"{count} good parts are too few to remember ({LEAST_PARTS} do)")
    left_out = np.empty(len(tokens))
    for fold in range(_FOLDS):
        out = place % _FOLDS == fold
        # As many tokens a picture as the memory of all has, or it would be the coarser one.
        share = int(size * (~out).sum() / len(tokens))
        left_out[out] = scores(remembered(tokens[~out], seed, share).maps(tokens[out]))
    border = novelty_border(worst_views(left_out, place), rate)
    memory = PatchMemory(remembered(tokens, seed, size).tokens, look)
    return FittedMemory(memory, border, turned_away(count, rate), left_out)


def remembered(tokens: Tokens, seed: int, size: int = TOKENS) -> PatchMemory:
    """A memory of at most `size` tokens, as many of each picture as of any other."""
    n, p, _ = tokens.shape
    rng = np.random.default_rng(seed)
    order = rng.permuted(np.tile(np.arange(p), (n, 1)), axis=1)  # each picture's places, shuffled
    picture = np.tile(rng.permutation(n), p)  # one of each, then a second one of each, and so on
    turn = order[picture, np.repeat(np.arange(p), n)]
    kept = slice(0, min(size, n * p))
    return PatchMemory(tokens[picture[kept], turn[kept]].astype(np.float16))
