"""Batch sizes that are prepared once: a batch is filled up to the next of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch


def powers_of_two(largest: int) -> tuple[int, ...]:
    """1, 2, 4, … and `largest` itself: at most half of a batch is filling.

    Raises:
        ValueError: `largest` is not positive.
    """
    if largest < 1:
        raise ValueError(f"a batch holds one picture or more, not {largest}")
    sizes = []
    size = 1
    while size < largest:
        sizes.append(size)
        size *= 2
    return (*sizes, largest)


def bucket_for(count: int, buckets: Sequence[int]) -> int:
    """The smallest bucket that holds `count` pictures; the largest where none does."""
    return next((size for size in buckets if size >= count), buckets[-1])


def chunks(count: int, buckets: Sequence[int]) -> list[slice]:
    """`count` pictures cut into pieces that fit the largest bucket, in order."""
    largest = buckets[-1]
    return [slice(first, min(first + largest, count)) for first in range(0, count, largest)]


def fill(target: torch.Tensor, batch: torch.Tensor) -> None:
    """Copy `batch` into the first rows of `target`, zeros into the others.

    Zeros, not what an earlier batch left there: pictures must not linger where nobody looks.
    """
    target[: len(batch)].copy_(batch)
    target[len(batch) :].zero_()
