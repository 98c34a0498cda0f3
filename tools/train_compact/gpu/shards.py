"""Scenes on disk, drawn by processes of their own while the device trains on what is there."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.train_compact.batches import class_of, parts_of
from tools.train_compact.gpu.scenes import Scene, draw_scene
from tools.train_compact.gpu.sentences import Sentences, Tokenise, sentences_of
from tools.train_compact.networks import CLIP

SHARD = 250  # scenes
_POLITE = 10  # of a drawing process: whoever trains comes first


@dataclass(frozen=True, slots=True)
class Plan:
    """Which scenes there are to be: `count` of the run `seed`, `shard` a file."""

    seed: int
    count: int
    shard: int = SHARD

    @property
    def shards(self) -> int:
        """How many files they make."""
        return -(-self.count // self.shard)


@contextmanager
def drawing(folder: Path, plan: Plan, processes: int) -> Iterator[list[Any]]:
    """Draw what is not there yet in `processes` others, which end with this block or process."""
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("forkserver")  # a process that has CUDA must not fork
    context.set_forkserver_preload([__name__, "open_clip"])
    workers = [
        context.Process(target=draw_shards, args=(folder, plan, part, processes), daemon=True)
        for part in range(processes)
    ]
    for worker in workers:
        worker.start()
    try:
        yield workers
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def draw_shards(folder: Path, plan: Plan, part: int = 0, parts: int = 1) -> None:
    """Draw the shards that are not there; process `part` of `parts` draws every `parts`-th."""
    import open_clip

    cv2.setNumThreads(1)
    if parts > 1:
        os.nice(_POLITE)
    parent = os.getppid()
    tokenise = open_clip.SimpleTokenizer(context_length=CLIP["text_cfg"]["context_length"])
    for shard in range(part, plan.shards, parts):
        if _paths(folder, shard)[1].exists():
            continue
        first = shard * plan.shard
        scenes = []
        for index in range(first, min(first + plan.shard, plan.count)):
            if os.getppid() != parent:
                return  # nobody is left to train on it
            scenes.append(draw_scene(plan.seed, index))
        _write(folder, shard, scenes, np.random.default_rng([plan.seed, 4, shard]), tokenise)


def whole(folder: Path) -> list[int]:
    """The numbers of the shards that are whole."""
    return sorted(int(path.stem) for path in folder.glob("*.npz") if path.stem.isdigit())


def read(folder: Path, shard: int) -> tuple[NDArray[np.uint8], dict[str, NDArray[Any]]]:
    """The pixels, uint8 [n, DRAWN, DRAWN, 3], and all that is known of them, by name."""
    pixels, rest = _paths(folder, shard)
    with np.load(rest) as file:
        return np.load(pixels), dict(file)


def _write(
    folder: Path, shard: int, scenes: list[Scene], rng: np.random.Generator, tokenise: Tokenise
) -> None:
    said: list[Sentences] = [sentences_of(s.picture.facts, rng, tokenise) for s in scenes]
    facts = [scene.picture.facts for scene in scenes]
    pixels, rest = _paths(folder, shard)
    np.save(pixels, np.stack([scene.picture.pixels for scene in scenes]))
    draft = rest.with_name(f"draft-{rest.name}")
    np.savez(
        draft,
        harmed=np.stack([scene.picture.harmed for scene in scenes]),
        classes=np.array([class_of(known) for known in facts]),
        parts=np.stack([parts_of(known).numpy() for known in facts]),
        groups=np.array([scene.group for scene in scenes]),
        kinds=np.array([scene.kind for scene in scenes]),
        facts=np.stack([s.facts for s in said]),
        tokens=np.stack([s.tokens for s in said]),
        states=np.stack([s.states for s in said]),
    )
    draft.replace(rest)  # last: it says that the shard is whole


def _paths(folder: Path, shard: int) -> tuple[Path, Path]:
    """Of the pixels, and of the rest."""
    return folder / f"{shard:04d}.npy", folder / f"{shard:04d}.npz"
