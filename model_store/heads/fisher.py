"""How much each column counts: by how far the classes lie apart in it.

Standardised columns all count alike, so a few that tell the classes apart drown among thousands
that do not. Here a column counts by its Fisher ratio (Fisher, "The use of multiple measurements in
taxonomic problems", 1936): the variance between classes as a share of all of it, less what chance
alone puts there. Where texture tells nothing, texture hardly counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from quality.arrays import Floats


def fisher_ratios(
    rows: Floats, codes: npt.NDArray[np.intp], units: Floats, shares: Floats
) -> Floats:
    """Of each column, the variance between classes as a share of all of it, [d]; 0 is chance.

    Args:
        rows: float64 [n, d].
        codes: int [n], the number of each row's class.
        units: float64 [k], how many parts each class has: pictures of one part are alike, so a
            class's mean is as uncertain as that of so many.
        shares: float64 [k], what each class counts; they add up to 1.
    """
    k, parts = len(units), float(units.sum())
    means = np.stack([rows[codes == code].mean(axis=0) for code in range(k)])
    within = ((rows - means[codes]) ** 2).mean(axis=0) * parts / max(parts - k, 1)
    by_chance = within * float((shares * (1 - shares) / units).sum())
    between = np.maximum(shares @ (means - shares @ means) ** 2 - by_chance, 0)
    total = between + within
    return np.asarray(np.divide(between, total, out=np.zeros_like(total), where=total > 0))


def column_weights(rows: Floats, ratios: Floats) -> Floats:
    """What each standardised column is multiplied by, [d].

    By the root of its ratio: few pictures tell a ratio badly, and the ratio itself would leave too
    few columns. Then all by one number, so that a row's length is 1 on average and one strength of
    penalty does for few columns and for many. Where no column tells the classes apart, all count
    alike.

    Args:
        rows: float64 [n, d], standardised.
        ratios: float64 [d], from `fisher_ratios`.
    """
    weights = np.sqrt(ratios) if ratios.any() else np.ones_like(ratios)
    length = float(np.sqrt(((rows * weights) ** 2).sum(axis=1).mean()))
    return np.asarray(weights / length if length > 0 else weights)
