"""The promise of products without a good class: few wrong classes among the parts judged alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_store.promise.bounds import needed, tail, upper_bound
from model_store.promise.pass_score import NEVER
from model_store.promise.promise import Promise, check_shares
from model_store.promise.scored_parts import Parts, by_part, half_way_above, share_of
from quality.arrays import Floats


def choose_sure(
    score: npt.ArrayLike,
    wrong: npt.ArrayLike,
    part: Parts,
    *,
    target: float,
    confidence: float,
) -> Promise:
    """The loosest score from which at most a share `target` of the parts judged alone is wrong.

    For products without a good class. This share is one *of the parts judged alone*, so it need not
    rise from strict to loose, and nothing can be shown from a handful of the surest parts. The
    sequence therefore begins at the first twentieth of the parts that could suffice without an
    error, and goes on in twentieths; which parts these are, scores alone decide.

    Where that fails, the loosest threshold above every error is taken. Wilks' bound holds for the
    share of *all* parts that are judged alone and wrong; divided by the share judged alone it is
    the bound that is stated.

    Args:
        score: float [n], of the first choice, from a model that had not seen the part; `NEVER`
            where a person looks in any case.
        wrong: bool [n], whether the first choice is not the picture's class.
        part, target, confidence: as for `choose_threshold`.

    Raises:
        ModelError: as there.
    """
    scores, bad, _ = by_part(score, wrong, part)
    check_shares(target, confidence)
    threshold, least = None, needed(target, confidence)
    for candidate in _twentieths(scores[scores > NEVER], len(scores), least):
        alone = (scores >= candidate) & (scores > NEVER)
        if tail(int((alone & bad).sum()), int(alone.sum()), target) > 1 - confidence:
            break
        threshold = candidate
    proven = threshold is not None
    if threshold is None:
        threshold = half_way_above(scores, float(scores[bad].max())) if bad.any() else NEVER
    alone = (scores >= threshold) & (scores > NEVER)
    share = share_of(alone, np.ones(len(scores), bool))
    bound = target
    if not proven:
        bound = min(1.0, upper_bound(0, len(scores), confidence) / share) if share else 1.0
    return Promise(
        risk="errors",
        threshold=threshold,
        target=target,
        confidence=confidence,
        proven=proven,
        upper_bound=bound,
        counted=int(alone.sum()),
        escapes=int((alone & bad).sum()),
        needed=least,
        alone=share,
    )


def _twentieths(scores: Floats, parts: int, least: int) -> list[float]:
    """The score of the last of each twentieth of the parts, strict to loose, from `least` on.

    The loosest of all lets every part that may be judged alone be so.
    """
    falling = np.append(np.sort(scores)[::-1], NEVER)
    sizes = sorted({max(1, round(parts * step / 20)) for step in range(1, 21)})
    places = [(size, size - 1) for size in sizes if size < len(scores)] + [(len(scores), -1)]
    return [float(falling[place]) for size, place in places if size >= least]
