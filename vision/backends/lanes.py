"""How the cores of a CPU share a batch: each takes a part of it, or all work on one picture.

Cores that share the arithmetic of one picture wait for each other after every layer, so whenever
one of them is taken away for a moment, to decode a picture or to commit rows, all stand still. A
batch is therefore cut into parts, and each lane (a core, or a few) takes the next one as it gets
free. What is too small to give every lane something goes to all cores together.
"""

from __future__ import annotations

from itertools import pairwise

PART = 8  # the most pictures in a part: few enough to share out evenly when a lane falls behind
IDLE = 1 / 15  # of the work: what lanes may lose when some of them have a picture less
IDLE_BESIDE_MUCH_ELSE = 0.4  # the same, where whatever else the machine does fills such gaps


def lanes_for(cores: int, largest: int) -> int:
    """How many lanes there are, each with the same number of cores and, of the largest batch, a
    full part.

    Args:
        cores: that compute.
        largest: the most pictures of a batch.
    """
    most = max(1, largest // PART)
    return max(lanes for lanes in range(1, cores + 1) if lanes <= most and cores % lanes == 0)


def parts_of(count: int, lanes: int, may_idle: float = IDLE) -> list[slice]:
    """`count` pictures as parts of nearly equal size, in order.

    As one part if they are too few, or would leave lanes without work: five pictures take two lanes
    as long as six.

    Args:
        count: the pictures of a batch.
        lanes: that take parts.
        may_idle: how much lanes may miss, as a share of the work.
    """
    idle = -count % lanes
    if lanes == 1 or count < lanes or idle > may_idle * count:
        return [slice(0, count)]
    rounds = -(-count // (lanes * PART))
    number = lanes * rounds
    edges = [count * edge // number for edge in range(number + 1)]
    return [slice(first, last) for first, last in pairwise(edges)]
