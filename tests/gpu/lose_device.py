"""Loses a GPU between two batches that are under way; prints what became of their pictures."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import torch

from linewatch.settings import Settings
from producer.contract import ImageRef
from producer.contract.message import Envelope
from vision.extractor import FeatureExtractor
from workers.pipeline.batch_limit import BatchLimit
from workers.pipeline.committer import Committer
from workers.pipeline.device import Device
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.pipeline.reply import Reply
from workers.pipeline.stage_timing import StageTiming
from workers.serving.residency import Residency

BATCH = 4


class Collector:
    """A committer that counts rows."""

    def __init__(self) -> None:
        self.rows = 0

    def put(self, rows: Sequence[InspectionRequest]) -> None:
        self.rows += len(rows)


def waiting(extractor: FeatureExtractor, reply: Reply) -> InspectionRequest:
    now = datetime.now(UTC)
    image = ImageRef(id=uuid4(), uri="/x.png", camera="C1", captured_at=now)
    envelope = Envelope(product="cable", line="L1", enqueued_at=now)
    size = extractor.size
    pixels = torch.zeros((3, size, size), dtype=torch.uint8)
    request = InspectionRequest(image, envelope, "w1")
    request.reply, request.picture = reply, PreparedPicture(pixels, "0" * 64, extractor)
    return request


def main(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=folder, device=name, backend="torch", max_batch=BATCH)
        extractor = FeatureExtractor.from_settings(settings)
    nothing: Any = SimpleNamespace(model=lambda product: None, shadow=lambda product: None)
    collector, told = Collector(), []
    device = Device(
        Judge(cast(Residency, nothing), feature_sample_rate=0),
        cast(Committer, collector),
        BatchLimit(BATCH),
        lambda: told.append(True),
        StageTiming(),
    )
    reply = Reply(2 * BATCH)
    first = device.launch([waiting(extractor, reply) for _ in range(BATCH)])
    if extractor.device.type == "cuda":  # an index beyond the end: the kernel traps
        beyond = torch.tensor([1 << 20], device=extractor.device)
        torch.zeros(4, device=extractor.device)[beyond]
    second = device.launch([waiting(extractor, reply) for _ in range(BATCH)])
    device.finish(first)
    device.finish(second)
    said = {
        "lost": device.lost,
        "told": len(told),
        "pictures": 2 * BATCH,
        "rows": collector.rows,
        "failures": [type(error).__name__ for error in reply.failures.values()],
    }
    print(json.dumps(said), flush=True)
    os._exit(0)  # what a lost context would say when it is torn down helps nobody


if __name__ == "__main__":
    main(sys.argv[1])
