"""The figures of a GPU: networks alone, the bare loop, through the queue, and what bounds each.

`python -m benchmarks.gpu.measure --out FILE`. Float32 and bfloat16, batches of 1 to 256, full-size
encoders with seeded weights. The most wanted figures come first, and each is in the file at once.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from benchmarks.bare_child import cable
from benchmarks.bare_loop import BareLoop, features_of
from benchmarks.contender import Contender
from benchmarks.gpu import device as device_of
from benchmarks.gpu.results import GrowingResult
from benchmarks.jpegs import LabelledPicture, line_jpegs, repeated
from benchmarks.plant import BenchPlant
from benchmarks.trained import train
from benchmarks.workplace import Workplace
from linewatch.errors import LinewatchError
from linewatch.settings import Settings
from model_store.store import ModelStore
from vision.extractor import FeatureExtractor

PRECISIONS = ("float32", "bfloat16")
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
LOOPS = (32, 256)
_RUN_S = 4.0  # of one run of a loop
_QUEUE_S = 70.0  # what a worker's start and a run need at most


class Measurement:
    """Everything, in the order in which it is wanted.

    Args:
        result: takes the rows.
        workplace: folder, Redis, database.
        smoke: as little as shows that it runs.
    """

    def __init__(self, result: GrowingResult, workplace: Workplace, *, smoke: bool) -> None:
        self._result = result
        self._workplace = workplace
        self._smoke = smoke
        self._device = torch.device(os.environ.get("LINEWATCH_GPU_DEVICE", "cuda"))
        self._batches = BATCHES[:3] if smoke else BATCHES
        self._precisions = PRECISIONS[:1] if smoke else PRECISIONS
        self._decoded_per_s = 0.0
        self._best: dict[tuple[str, int], float] = {}  # images/s of the networks, copies included

    def run(self) -> None:
        """Measure until all is done or the time is over."""
        pictures = self._pictures()  # before CUDA is there: they are drawn by forked processes
        self._result.settings |= device_of.about(self._device)
        peaks = {precision: self._peak(precision) for precision in self._precisions}
        copied = device_of.copy_bytes(self._device, 2**20 if self._smoke else 2**27, self._enough_s)
        self._result.add("copy to the device", gb_per_s=copied / 1e9)
        versions = {}
        for precision in self._precisions:
            extractor = self._extractor(precision)
            flops = device_of.picture_flops(extractor)
            for batch in self._batches:
                self._forward(extractor, batch, flops, peaks[precision], copied)
            self._decode(extractor, pictures)
            versions[precision] = self._bare(extractor, pictures)
            del extractor
        for precision, version in versions.items():
            self._queue(precision, version, pictures)

    @property
    def _enough_s(self) -> float:
        return 0.02 if self._smoke else 0.5

    def _settings(self, precision: str, name: str, database_url: str = "") -> Settings:
        encoders = "compact" if self._smoke else "full"
        settings = self._workplace.settings(name, database_url, encoders=encoders)
        update = {
            "device": str(self._device),
            "backend": "torch",
            "precision": precision,
            "max_batch": self._batches[-1],
        }
        return settings.model_copy(update=update)

    def _pictures(self) -> list[LabelledPicture]:
        if self._smoke:
            folder = self._workplace.cache / "pictures"
            return line_jpegs(folder, 3, classes=("good", "missing_cable"))
        return self._workplace.pictures

    def _peak(self, precision: str) -> float:
        flops = device_of.gemm_flops(
            self._device, precision, 256 if self._smoke else 8192, self._enough_s
        )
        self._result.add("matrix product", precision=precision, tflop_per_s=flops / 1e12)
        return flops

    def _extractor(self, precision: str) -> FeatureExtractor:
        began = time.perf_counter()
        made = FeatureExtractor.from_settings(self._settings(precision, f"bare-{precision}"))
        self._result.settings["encoders"] = made.describe_space()
        self._result.settings["dim"] = made.dim
        self._result.add("load", precision=precision, seconds=time.perf_counter() - began)
        return made

    def _forward(
        self, extractor: FeatureExtractor, batch: int, flops: int, peak: float, copied: float
    ) -> None:
        found = device_of.forward(extractor, batch, self._smoke)
        precision, size = extractor.backend.precision, extractor.size
        compute_s, copy_s = found.pop("compute_s"), batch * 3 * size * size / copied
        each_s = batch / found["images_per_s"]
        longest = max(compute_s, copy_s)
        bound = (
            "launching"
            if each_s > 1.25 * longest
            else ("the networks" if compute_s >= copy_s else "the copy")
        )
        self._best[precision, batch] = found["images_per_s"]
        self._result.add(
            "networks",
            precision=precision,
            batch=batch,
            **found,
            compute_ms=1000 * compute_s,
            copy_ms=1000 * copy_s,
            tflop_per_s=flops * batch / compute_s / 1e12,
            of_matrix_product=flops * batch / compute_s / peak,
            bound_by=bound,
        )

    def _decode(self, extractor: FeatureExtractor, pictures: Sequence[LabelledPicture]) -> None:
        if self._decoded_per_s:
            return
        threads = os.cpu_count() or 1
        paths = repeated(pictures, 8 if self._smoke else 40 * threads)
        with ThreadPoolExecutor(threads) as pool:
            began = time.perf_counter()
            list(pool.map(lambda path: extractor.prepare(path.read_bytes()), paths))
            self._decoded_per_s = len(paths) / (time.perf_counter() - began)
        self._result.add("decode", threads=threads, images_per_s=self._decoded_per_s)

    def _bare(self, extractor: FeatureExtractor, pictures: Sequence[LabelledPicture]) -> str:
        """The bare loop; returns the version that it judged with, made as training makes one."""
        precision = extractor.backend.precision
        settings = self._settings(precision, f"bare-{precision}")
        spec = cable("cable")
        labelled = [(picture.path, picture.label) for picture in pictures]
        features = features_of(extractor, [path for path, _ in labelled], spec.image_size)
        version = train(settings, extractor, spec, labelled, features).version
        model = ModelStore(settings.models_url).load("cable", version)
        threads = os.cpu_count() or 1
        loop = BareLoop(extractor, model, size=spec.image_size, decode_threads=threads)
        for batch in self._batches[-1:] if self._smoke else LOOPS:
            some = repeated(pictures, batch if self._smoke else 4 * batch)
            seconds, _ = loop.run(some, batch)
            if not self._smoke:
                count = batch * max(2, round(_RUN_S * len(some) / seconds / batch))
                some = repeated(pictures, count)
                seconds, _ = loop.run(some, batch)
            self._loop_row("bare loop", precision, batch, len(some), len(some) / seconds)
        return version

    def _queue(self, precision: str, version: str, pictures: Sequence[LabelledPicture]) -> None:
        """Camera to committed row, with one worker and SQLite."""
        if self._result.left_s < (0 if self._smoke else _QUEUE_S):
            self._result.skip(f"queue {precision}", "no time was left")
            return
        name, batch = f"queue-{precision}", self._batches[-1]
        settings = self._settings(precision, name, self._workplace.database_url("sqlite"))
        try:
            with BenchPlant(settings, Contender("torch", precision)) as plant:
                plant.deploy(version)
                plant.start()
                plant.images_per_s(repeated(pictures, 2 * batch))  # not counted: the first
                bare = self._best.get(("bare loop " + precision, batch), 0.0)
                count = 2 * batch if self._smoke else min(6000, max(4 * batch, round(3 * bare)))
                rate = plant.images_per_s(repeated(pictures, count))
                plant.check_judged()
        except LinewatchError as error:
            self._result.skip(f"queue {precision}", str(error))
            return
        self._loop_row("queue", precision, batch, count, rate)
        if bare:
            self._result.ratios[f"pipeline_to_bare_cuda_{precision}"] = rate / bare
            self._result.write()

    def _loop_row(self, what: str, precision: str, batch: int, count: int, rate: float) -> None:
        self._best[f"{what} {precision}", batch] = rate
        limits = {"decoding": self._decoded_per_s, "the networks": self._best[precision, batch]}
        nearest = min(limits, key=lambda name: limits[name])
        share = rate / limits[nearest]
        self._result.add(
            what,
            precision=precision,
            batch=batch,
            images=count,
            images_per_s=rate,
            bound_by=nearest if share > 0.8 else "something else",
            of_that=share,
        )


def main() -> None:
    """Measure; ends by itself, or by SIGTERM, with what was found in the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=330)
    parser.add_argument("--smoke", action="store_true")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and clean up
    result = GrowingResult(asked.out, asked.seconds, {"smoke": asked.smoke})
    with Workplace() as workplace:
        Measurement(result, workplace, smoke=asked.smoke).run()
    result.write(whole="skipped" not in result.settings)


if __name__ == "__main__":
    main()
