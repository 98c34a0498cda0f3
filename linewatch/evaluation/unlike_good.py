"""How well the rules against parts unlike good would do: they learn from some good parts, and are
shown other good ones and every defect, of which they have seen none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_store.novelty.novelty import fit_novelty, novelty_border
from model_store.novelty.one_class import fit_one_class
from model_store.novelty.patch_memory import FittedMemory, fit_memory, scores
from quality.arrays import Floats

OLD_RATE = 0.005  # of the measure of all classes: its default
Rows = NDArray[np.intp]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """Pictures as the rules see them.

    Attributes:
        features: of the whole picture, float64 [n, d]; None: there are none.
        tokens: of its places, float16 [n, p, c], rows of length 1.
    """

    features: Floats | None
    tokens: NDArray[np.float16]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """Which pictures a model learns from, and which it is then shown.

    Attributes:
        seen, fresh: good ones.
        bad: defects.
        kinds: [n], the class of each of `bad`.
    """

    seen: Rows
    fresh: Rows
    bad: Rows
    kinds: NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """A rule's values of the good parts it learned from, of fresh ones and of defects."""

    left_out: Floats
    fresh: Floats
    bad: Floats

    def beyond(self, rate: float) -> tuple[Flags, Flags]:
        """Which fresh ones and which defects lie beyond the border of this rate."""
        border = novelty_border(self.left_out, rate)
        return self.fresh > border, self.bad > border

    def standard(self) -> tuple[Floats, Floats]:
        """Logarithms of fresh ones and defects, in deviations of those left out."""
        logs = np.log(self.left_out)
        fresh, bad = ((np.log(v) - logs.mean()) / logs.std() for v in (self.fresh, self.bad))
        return fresh, bad


def drawn(labels: NDArray[np.str_], good: str, count: int, seed: int) -> Draw:
    """A draw that learns from `count` good pictures and is shown all others."""
    shuffled = np.random.default_rng(seed).permutation(np.flatnonzero(labels == good))
    bad = np.flatnonzero(labels != good)
    return Draw(shuffled[:count], shuffled[count:], bad, labels[bad])


def distance(features: Floats, draw: Draw, rate: float) -> Said:
    """The one-class distance."""
    found = fit_one_class(features[draw.seen], rate)
    fresh, bad = (found.measure.distances(features[rows]) for rows in (draw.fresh, draw.bad))
    return Said(found.left_out, fresh, bad)


def memory(
    tokens: NDArray[np.float16], draw: Draw, rate: float, seed: int
) -> tuple[Said, Floats, FittedMemory]:
    """The memory of patches; the defects' maps, float64 [n, p]; and the memory itself."""
    found = fit_memory(tokens[draw.seen], rate, seed=seed)
    fresh, bad = (found.memory.maps(tokens[rows]) for rows in (draw.fresh, draw.bad))
    return Said(found.left_out, scores(fresh), scores(bad)), bad, found


def alone(said: Said, draw: Draw, rate: float) -> dict[str, float]:
    """What one rule does."""
    return {"auroc": auroc(said.fresh, said.bad), **_caught(*said.beyond(rate), draw.kinds)}


def together(rules: Sequence[Said], draw: Draw, rate: float) -> dict[str, float]:
    """Beyond either border, each at its share of the rate; ranked by the mean of both."""
    beyond = [said.beyond(rate / len(rules)) for said in rules]
    fresh, bad = (np.logical_or.reduce([both[i] for both in beyond]) for i in (0, 1))
    ranks = [np.mean([said.standard()[i] for said in rules], axis=0) for i in (0, 1)]
    return {"auroc": auroc(ranks[0], ranks[1]), **_caught(fresh, bad, draw.kinds)}


def of_all_classes(features: Floats, labels: NDArray[np.str_], draw: Draw) -> dict[str, float]:
    """Each class left out in turn under the measure of all other classes, as in 0.1.0."""
    caught, flagged = {}, []
    for kind in sorted(set(draw.kinds.tolist())):
        rows = np.concatenate([draw.seen, draw.bad[draw.kinds != kind]])
        measure, left_out = fit_novelty(features[rows], labels[rows].tolist())
        border = novelty_border(left_out, OLD_RATE)
        strange = measure.distances(features[draw.bad[draw.kinds == kind]])
        caught[f"caught: {kind}"] = float((strange > border).mean())
        flagged.append(float((measure.distances(features[draw.fresh]) > border).mean()))
    return {"good flagged": fmean(flagged), "caught": fmean(caught.values()), **caught}


def peak_on_flaw(maps: Floats, flaws: Flags) -> float:
    """How often the farthest place is one of the flaw's, or beside one: a token sees those too.

    Args:
        maps: float64 [n, g²], of defects.
        flaws: bool [n, g, g].
    """
    g = flaws.shape[1]
    wide = np.pad(flaws, ((0, 0), (1, 1), (1, 1)))
    near = [wide[:, i : i + g, j : j + g] for i in range(3) for j in range(3)]
    places = np.logical_or.reduce(near).reshape(len(flaws), -1)
    return float(places[np.arange(len(maps)), maps.argmax(axis=1)].mean())


def auroc(good: Floats, bad: Floats) -> float:
    """The chance that a defect scores higher than a good part."""
    ranked = np.sort(good)
    low, high = np.searchsorted(ranked, bad, "left"), np.searchsorted(ranked, bad, "right")
    return float((low + high).mean() / 2 / len(good))


def _caught(fresh: Any, bad: Any, kinds: NDArray[np.str_]) -> dict[str, float]:
    classes = {f"caught: {k}": float(bad[kinds == k].mean()) for k in sorted(set(kinds.tolist()))}
    return {"good flagged": float(fresh.mean()), "caught": float(bad.mean()), **classes}
