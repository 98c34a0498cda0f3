"""The bare loop: the same decode, encoders and model as a worker's; no queue and no database.

Written as one would who cares for speed: decoding of the next batches goes on in threads while the
networks work on this one, and a device that computes by itself has its next batch before the
results of this one are read. The model judges by all of its rules, as in a worker: by pictures'
places too, where it remembers those of good parts.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from linewatch.products import ImageSize
from model_store.store import StoredModel
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor, Prepared
from workers.serving.looked_at import computed
from workers.serving.resident_model import Measured, ResidentModel, looks_at_places

_BATCHES_AHEAD = 2  # decoded

Launched = tuple[HostCopy, Measured]


class BareLoop:
    """Judges files as fast as the machine can.

    Args:
        extractor: decodes and makes the features.
        model: judges them.
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
        self._model = ResidentModel.of(model, extractor.device)
        self._places = looks_at_places(self._model, extractor)
        self._ahead = 1 if extractor.backend.asynchronous else 0
        self._size = size
        self._pool = ThreadPoolExecutor(decode_threads, thread_name_prefix="decode")

    def run(self, paths: Sequence[Path], batch: int) -> tuple[float, Counter[str]]:
        """Judge `paths`; returns the seconds it took and the verdicts' counts."""
        began = time.perf_counter()
        verdicts: Counter[str] = Counter()
        under_way: deque[Launched] = deque()
        for pictures in self._batches(paths, batch):
            under_way.append(self.launch([picture.pixels for picture in pictures]))
            if len(under_way) > self._ahead:
                verdicts.update(self.finish(under_way.popleft()))
        for launched in under_way:
            verdicts.update(self.finish(launched))
        return time.perf_counter() - began, verdicts

    def judge(self, pixels: Sequence[torch.Tensor]) -> list[str]:
        """The verdicts of prepared pictures, each uint8 [3, h, w]."""
        return self.finish(self.launch(pixels))

    def launch(self, pixels: Sequence[torch.Tensor]) -> Launched:
        """Give the device a batch."""
        features, tokens = computed(pixels, self._extractor, self._places)
        return HostCopy(features), self._model.measure(features, tokens)

    def finish(self, launched: Launched) -> list[str]:
        """Wait for a batch; its verdicts."""
        features, measured = launched
        _, judgements = self._model.judge(features.numpy(), measured)
        return [judgement.verdict.value for judgement in judgements]

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


def features_of(
    extractor: FeatureExtractor, paths: Sequence[Path], size: ImageSize | None = None
) -> NDArray[np.float32]:
    """The features of files, float32 [n, d].

    Args:
        extractor: makes them.
        paths: of the files.
        size: that the pictures must have, or None for any.
    """
    rows = []
    for start in range(0, len(paths), 16):
        some = paths[start : start + 16]
        pixels = [extractor.prepare(path.read_bytes(), size).pixels for path in some]
        rows.append(extractor.features(torch.stack(pixels)).cpu().numpy())
    return np.concatenate(rows)
