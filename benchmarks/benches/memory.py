"""A worker's memory: beside its encoders' alone, over many pictures, and before a deep queue."""

from __future__ import annotations

import time
from contextlib import ExitStack

from benchmarks.benches.pipeline import fitted_plants
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.jpegs import repeated
from benchmarks.memory_use import MemoryWatch, memory_of
from benchmarks.noop_plant import NoopPlant, noop_plants
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from producer.contract import QUEUE

IMAGES_A_MESSAGE = 16
_DEEP_S = 10.0  # how long a worker is watched in front of a deep queue


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Two workers with networks, one without."""
    images, depth = (5_000, 25_000) if quick else (20_000, 100_000)
    kind = workplace.main_database
    findings = Findings({"database": kind, "images": images, "queue depth": depth})
    for contender in available(TORCH, OPENVINO_INT8):
        _beside_encoders(workplace, contender, findings, images=scaled(128 if quick else 512))
    excess = [row["worker_minus_encoders_mib"] for row in findings.rows]
    findings.ratios["worker_minus_encoders_mib"] = max(excess)
    with ExitStack() as stack:
        plant = noop_plants(workplace, stack, [kind])[kind]
        _over_time(plant, findings, scaled(images, least=10 * IMAGES_A_MESSAGE))
        _deep_queue(plant, findings, scaled(depth, least=100))
    return findings


def _beside_encoders(
    workplace: Workplace, contender: Contender, findings: Findings, *, images: int
) -> None:
    say(f"{contender.name}: {images} images through one worker")
    kind = workplace.main_database
    settings = workplace.settings(f"bare-{contender.key}", "")
    with ExitStack() as stack:
        with workplace.bare(contender, settings) as bare:
            alone = bare.about  # before anything else was asked of it
            plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
        plant.images_per_s(repeated(workplace.pictures, images))
        assert plant.worker is not None
        worker = memory_of(plant.worker.process.pid)
    findings.rows.append(
        {
            "what": f"worker beside its encoders, {contender.name}",
            "images": images,
            "encoders_mib": alone["rss_mib"],
            "peak_mib": worker["peak_mib"],
            "worker_minus_encoders_mib": worker["peak_mib"] - alone["rss_mib"],
        }
    )


def _over_time(plant: NoopPlant, findings: Findings, images: int) -> None:
    say(f"no network: {images} images")
    assert plant.worker is not None
    pid, tenths = plant.worker.process.pid, []
    for _ in range(10):
        count = max(1, images // 10 // IMAGES_A_MESSAGE)
        plant.drain_s(plant.messages(count, IMAGES_A_MESSAGE))
        tenths.append(memory_of(pid)["rss_mib"])
    findings.rows.append(
        {
            "what": "no network, over time",
            "images": images,
            "after_first_tenth_mib": tenths[0],
            "half_way_mib": tenths[4],
            "at_end_mib": tenths[-1],
        }
    )
    findings.ratios["growth_mib"] = tenths[-1] - tenths[0]
    findings.ratios["growth_second_half_mib"] = tenths[-1] - tenths[4]


def _deep_queue(plant: NoopPlant, findings: Findings, depth: int) -> None:
    say(f"no network: a queue of {depth} messages")
    assert plant.worker is not None
    pid = plant.worker.process.pid
    before = memory_of(pid)["rss_mib"]
    with plant.paused():
        for start in range(0, depth, 5000):
            plant.fill(plant.messages(min(5000, depth - start), 1))
    with MemoryWatch(pid) as watch:
        time.sleep(_DEEP_S)
    left = plant.waiting()
    plant.redis.delete(QUEUE)
    highest = max(mib for _, mib in watch.samples)
    findings.rows.append(
        {
            "what": "no network, deep queue",
            "depth": depth,
            "taken": depth - left,
            "before_mib": before,
            "highest_mib": highest,
        }
    )
    findings.ratios["deep_queue_mib"] = highest - before
