"""The bare loop: the same decode, encoders and head as a worker's; no queue and no database.

Written as one would who cares for speed: decoding of the next batches goes on in threads while the
networks work on this one.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import torch

from linewatch.products import ImageSize
from model_store.apply import AffineHead
from model_store.store import StoredModel
from model_store.verdict import judge
from vision.extractor import FeatureExtractor, Prepared

_BATCHES_AHEAD = 2


class BareLoop:
    """Judges files as fast as the machine can.

    Args:
        extractor: decodes and makes the features.
        model: the head and its rules.
        size: that the pictures must have, or None for any.
        decode_threads: files decoded at once.
    """

    def __init__(
        self,
        extractor: FeatureExtractor,
        model: StoredModel,
        *,
        size: ImageSize | None,
        decode_threads: int,
    ) -> None:
        self._extractor = extractor
        self._model = model
        self._head = AffineHead(model.head).to(extractor.device).eval()
        self._size = size
        self._pool = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")

    def run(self, paths: Sequence[Path], batch: int) -> tuple[float, Counter[str]]:
        """Judge `paths`; returns the seconds it took and the verdicts' counts."""
        began = time.perf_counter()
        verdicts: Counter[str] = Counter()
        for pictures in self._batches(paths, batch):
            verdicts.update(self.judge(torch.stack([picture.pixels for picture in pictures])))
        return time.perf_counter() - began, verdicts

    def judge(self, pixels: torch.Tensor) -> list[str]:
        """The verdicts of prepared pictures, uint8 [n, 3, h, w]."""
        manifest = self._model.manifest
        shares = self._head(self._extractor.features(pixels)).cpu().numpy()
        return [
            judge(
                row.tolist(),
                classes=self._model.head.classes,
                good_class=manifest.good_class,
                thresholds=manifest.thresholds,
            ).verdict.value
            for row in shares
        ]

    def prepare(self, path: Path) -> Prepared:
        """Read and decode one file."""
        return self._extractor.prepare(path.read_bytes(), self._size)

    def _batches(self, paths: Sequence[Path], batch: int) -> Iterator[list[Prepared]]:
        waiting = iter(paths)
        ahead: deque[Future[Prepared]] = deque()
        while True:
            for path in islice(waiting, (_BATCHES_AHEAD + 1) * batch - len(ahead)):
                ahead.append(self._pool.submit(self.prepare, path))
            if not ahead:
                return
            yield [ahead.popleft().result() for _ in range(min(batch, len(ahead)))]
