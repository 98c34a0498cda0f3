"""A worker without networks: what the way through queue, worker and database costs by itself.

`celery -A benchmarks.noop worker -Q inspect …` runs the application as it is, but for its
extractor. The same worker serves `benchmarks.empty`, a task that does nothing at all: what a
message costs without a picture. `benchmarks.stock` serves it too, with Celery as it comes.

No setting starts such a worker: a plant could set it by mistake, and every part would pass.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import torch
from celery import shared_task

from benchmarks.empty_task import EMPTY_TASK
from linewatch.products import ImageSize
from linewatch.settings import Settings, get_settings
from producer.contract import QUEUE
from vision.extractor import FeatureExtractor, Prepared
from vision.fingerprint import RECIPE
from vision.framing import CENTRE_CROP, Framing
from workers.app import make_app
from workers.bootsteps import PipelineStep
from workers.config import TASKS

DIM = int(os.environ.get("LINEWATCH_BENCH_DIM", "896"))  # what CLIP ViT-B/32 and ViT-S/14 make


class _Nothing:
    """Stands where a backend stands."""

    name, precision, device = "nothing", "float32", torch.device("cpu")
    asynchronous = gives_tokens = False

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError("the extractor answers by itself")

    def describe(self) -> str:
        return "no networks"


class NoopExtractor(FeatureExtractor):
    """Makes features of nothing. The reader still opens, checks, reads and hashes each file."""

    def __init__(self, dim: int = DIM) -> None:
        self.device = torch.device("cpu")
        self.dim = dim
        self.backend = _Nothing()
        self.fingerprint = self.reference = f"{dim:064x}"
        self.recipe = RECIPE
        self.size = 1
        self.framing = CENTRE_CROP
        self._pixels = torch.zeros(3, 1, 1, dtype=torch.uint8)
        self._features = torch.full((1024, dim), dim**-0.5)

    def describe(self) -> str:
        return f"no networks (benchmark), {self.dim} numbers"

    def space(self, framing: Framing, recipe: str | None = None) -> FeatureExtractor:
        return self

    def prepare(
        self, data: bytes, expected: ImageSize | None = None, *, bits: int | None = None
    ) -> Prepared:
        return Prepared(self._pixels, 1, 1)

    def features(self, batch: torch.Tensor) -> torch.Tensor:
        return self._features[: len(batch)]

    def embed_text(self, prompts: Sequence[str]) -> torch.Tensor:
        raise NotImplementedError("there are no networks here")


class NoopStep(PipelineStep):
    """Starts the same runtime with the extractor above."""

    def load_extractor(self, settings: Settings) -> FeatureExtractor:
        return NoopExtractor()


@shared_task(name=EMPTY_TASK, acks_late=True, ignore_result=True)  # type: ignore[untyped-decorator]
def empty(*_: object) -> None:
    """Nothing."""


def worker_command(python: str, app: str) -> list[str]:
    """The command that runs such a worker, as `linewatch worker` would run a real one."""
    command = [python, "-m", "celery", "-A", app, "worker", "-Q", "inspect"]
    return [*command, "-n", "noop@%h", "-l", "INFO", "--without-gossip", "--without-mingle"]


TASKS[QUEUE] |= {EMPTY_TASK}  # no other worker takes it
app = make_app(get_settings())
app.steps["worker"].discard(PipelineStep)
app.steps["worker"].add(NoopStep)
