"""The recipes and heads that are compared: the seed's, each change alone, and combinations."""

from __future__ import annotations

from dataclasses import dataclass

from model_store.heads.baselines import Kind

SEED_PARTS = ("clip.embedding", "dino.embedding")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way from columns to predictions.

    Attributes:
        name: what the tables call it.
        parts: names of parts, see `vision.parts.Part`.
        head: kind of head, see `model_store.heads.baselines`.
        extra: a column that is made inside each fold, see `benchmarks.recipes.extras`; or "".
        changes: what is different from the seed's, in words.
    """

    name: str
    parts: tuple[str, ...] = SEED_PARTS
    head: Kind = "logistic"
    extra: str = ""
    changes: str = ""


def _with(name: str, *parts: str, changes: str) -> Candidate:
    return Candidate(name, (*SEED_PARTS, *parts), changes=changes)


SEED = Candidate("seed", changes="the seed's recipe and head")

HEADS = (
    Candidate("head balanced", head="balanced", changes="class-balanced logistic regression"),
    Candidate("head nested C", head="nested", changes="balanced, C by nested cross-validation"),
    Candidate("head unscaled", head="unscaled", changes="no scaling by column, C nested"),
    Candidate("head shrinkage LDA", head="lda", changes="Ledoit-Wolf discriminant analysis"),
    Candidate("head nearest centroid", head="centroid", changes="nearest class mean"),
)

ALONE = (
    Candidate("clip alone", ("clip.embedding",), changes="only CLIP's embedding"),
    Candidate("dino alone", ("dino.embedding",), changes="only DINOv2's class token"),
    _with("+ dino mean", "dino.mean", changes="mean of DINOv2's patch tokens"),
    _with("+ dino max", "dino.max", changes="maximum of DINOv2's patch tokens"),
    _with("+ dino std", "dino.std", changes="deviation of DINOv2's patch tokens"),
    _with("+ clip mean", "clip.mean", changes="mean of CLIP's last patch map"),
    _with("+ clip max", "clip.max", changes="maximum of CLIP's last patch map"),
    _with("+ clip std", "clip.std", changes="deviation of CLIP's last patch map"),
    _with("+ dino grid 2×2", "dino.grid2", changes="DINOv2's patches by quarter"),
    _with("+ dino grid 3×3", "dino.grid3", changes="DINOv2's patches by ninth"),
    _with("+ dino grid 4×4", "dino.grid4", changes="DINOv2's patches by sixteenth"),
    _with("+ clip grid 2×2", "clip.grid2", changes="CLIP's patches by quarter"),
    _with("+ clip grid 3×3", "clip.grid3", changes="CLIP's patches by ninth"),
    _with(
        "+ dino blocks",
        "dino.embedding[-2]",
        "dino.embedding[-3]",
        changes="class tokens of 3 blocks",
    ),
    _with(
        "+ dino mean blocks",
        "dino.mean",
        "dino.mean[-2]",
        "dino.mean[-3]",
        changes="patch means of 3 blocks",
    ),
    _with(
        "+ clip earlier block",
        "clip.mean[-2]",
        "clip.max[-2]",
        "clip.std[-2]",
        changes="CLIP's block before the last",
    ),
    Candidate(
        "flips",
        ("clip.embedding@flip", "dino.embedding@flip"),
        changes="mean with the mirror image",
    ),
    Candidate(
        "dino at 336", ("clip.embedding", "dino.embedding@fine"), changes="DINOv2 sees 336 pixels"
    ),
    _with(
        "+ clip tiles", "clip.embedding@tiles", changes="CLIP also sees four quarters of 448 pixels"
    ),
    _with("+ dino tiles", "dino.embedding@tiles", changes="DINOv2 also sees four quarters"),
    Candidate("+ prompts", extra="prompts", changes="similarities to the classes' sentences"),
    Candidate("+ good distance", extra="good", changes="distance to the good parts' patches"),
    Candidate("combined = two high", extra="combined", changes="`combined` is not learned"),
)

_POOLS = tuple(f"{e}.{pool}" for e in ("clip", "dino") for pool in ("mean", "max", "std"))
_BEFORE = tuple(f"clip.{pool}[-2]" for pool in ("mean", "max", "std"))
_FINE = tuple(f"dino.{pool}@fine" for pool in ("mean", "max", "std"))

COMBINED = (
    _with("all pools", *_POOLS, changes="mean, maximum, deviation of both encoders' patches"),
    _with("pools, two blocks", *_POOLS, *_BEFORE, changes="and of CLIP's block before the last"),
    _with(
        "pools, two blocks, fine",
        *_POOLS,
        *_BEFORE,
        *_FINE,
        changes="and DINOv2's at 336 pixels too",
    ),
    _with(
        "patches",
        *_BEFORE,
        *_POOLS[3:],
        changes="pools of CLIP's block before the last and of DINOv2's last",
    ),
    _with("pools, fine", *_POOLS, *_FINE, changes="all pools, and DINOv2's at 336 pixels too"),
    Candidate("pools, LDA", (*SEED_PARTS, *_POOLS), "lda", changes="all pools, shrinkage LDA"),
    Candidate(
        "pools, two blocks, LDA",
        (*SEED_PARTS, *_POOLS, *_BEFORE),
        "lda",
        changes="pools of two blocks, shrinkage LDA",
    ),
)
DEFAULT = next(c for c in COMBINED if c.name == "patches")
_SLOW = ("nested", "unscaled")
_EVERY = (SEED, *COMBINED, *ALONE, *HEADS)
# What costs most comes last, so that an interrupted run has most of the comparison.
CANDIDATES = tuple(sorted(_EVERY, key=lambda c: 2 * (c.head in _SLOW) + (c.extra != "")))
