"""Features of a picture that was seen in several squares: one vector of as many columns as one's.

Pooled as the patches of one square are: a block of maxima has the largest of all squares, every
other block the mean. So a flaw in one tile of five still stands out where a recipe keeps what
stands out, and CLIP's embedding stays comparable with words.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from vision.recipe import Block
from vision.recipes import join


def squares(pictures: Sequence[torch.Tensor]) -> tuple[torch.Tensor, list[int]]:
    """All squares of pictures, one after the other, and how many each has.

    Args:
        pictures: from `vision.preprocess`: uint8 [3, size, size] or [w, 3, size, size].

    Returns:
        uint8 [n, 3, size, size], n being the sum of the counts.
    """
    if all(picture.ndim == 3 for picture in pictures):
        return torch.stack(list(pictures)), [1] * len(pictures)
    several = [picture if picture.ndim == 4 else picture[None] for picture in pictures]
    return torch.cat(several), [len(picture) for picture in several]


def pooled(features: torch.Tensor, counts: Sequence[int], blocks: Sequence[Block]) -> torch.Tensor:
    """A vector for each picture; of those with one square, its own.

    Args:
        features: float32 [n, d], a row for each square.
        counts: the squares of each picture, n in all.
        blocks: of the d columns.

    Returns:
        float32 [len(counts), d]; rows have length 1, each block the same share of it.
    """
    if len(counts) == len(features):
        return features
    lengths = torch.tensor(counts).to(features.device)
    means = torch.segment_reduce(features, "mean", lengths=lengths)
    most = torch.segment_reduce(features, "max", lengths=lengths)
    widths = [block.width for block in blocks]
    parts = zip(blocks, torch.split(means, widths, 1), torch.split(most, widths, 1), strict=True)
    several = join([largest if block.largest else mean for block, mean, largest in parts])
    firsts = torch.cumsum(lengths, 0) - lengths
    return torch.where((lengths > 1)[:, None], several, features[firsts])
