"""The parts of the run for one GPU, on a processor."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from tools.train_compact.families import ground
from tools.train_compact.gpu import shards
from tools.train_compact.gpu.lens import Lens, cells, look
from tools.train_compact.gpu.pool import Pool
from tools.train_compact.gpu.scenes import GROUPS
from tools.train_compact.gpu.sensor import Sensor
from tools.train_compact.gpu.sentences import UNSEEN, true_of
from tools.train_compact.gpu.supcon import HEAT, Contrast, supcon
from tools.train_compact.gpu.visit import Visits, sentence

GREY = torch.tensor([True, False])


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_kind_of_ground_is_its_number_and_no_two_are_alike() -> None:
    kinds = [ground.kind(number) for number in range(ground.KINDS)]
    assert len(set(kinds)) == ground.KINDS
    fields = [ground.field(np.random.default_rng(seed), kinds[3]) for seed in (1, 1, 2)]
    assert np.array_equal(fields[0], fields[1])
    assert not np.array_equal(fields[0], fields[2])
    assert {name.name for kind in kinds for name in kind.patterns} == {
        "grain", "islands", "creases", "stripes", "weave", "dots", "cells", "strokes",
    }  # fmt: skip


def test_supervised_contrast_is_its_authors_second_equation() -> None:
    vectors = functional.normalize(torch.randn((7, 5), generator=generator()), dim=-1)
    kinds = [0, 0, 1, 1, 1, 2, 3]
    terms = []
    for i in range(7):
        alike = [p for p in range(7) if p != i and kinds[p] == kinds[i]]
        below = sum(math.exp(vectors[i] @ vectors[a] / HEAT) for a in range(7) if a != i)
        if alike:
            said = [math.log(math.exp(vectors[i] @ vectors[p] / HEAT) / below) for p in alike]
            terms.append(-sum(said) / len(alike))
    assert supcon(vectors, torch.tensor(kinds)).item() == pytest.approx(np.mean(terms), rel=1e-5)


@pytest.mark.parametrize("kinds", [[-1, -1, -1], [-1, 4, -1], [1, 2, 3]])
def test_where_no_two_are_of_a_kind_there_is_nothing_to_learn(kinds: list[int]) -> None:
    contrast = Contrast(6)
    loss = contrast(torch.randn((3, 6), generator=generator()), torch.tensor(kinds))
    loss.backward()
    assert loss.item() == 0
    given = [p.grad for p in contrast.parameters() if p.grad is not None]
    assert all(torch.isfinite(grad).all() for grad in given)


def harmed_at(n: int) -> torch.Tensor:
    harmed = torch.zeros((n, 56, 56), dtype=torch.bool)
    corner = torch.randint(2, 48, (n, 2), generator=generator(1)).tolist()
    for row, (y, x) in enumerate(corner):
        harmed[row, y : y + 5, x : x + 5] = True
    return harmed


@pytest.mark.parametrize("group", GROUPS)
def test_what_is_harmed_stays_in_sight_and_is_known_where_it_is_seen(group: str) -> None:
    harmed = harmed_at(12)
    groups = torch.full((12,), GROUPS.index(group))
    warp = Lens("cpu").warps(groups, harmed, generator())
    seen = cells(harmed, warp)
    assert seen.flatten(1).any(1).all()
    scenes = functional.interpolate(harmed[:, None].float(), 320).expand(-1, 3, -1, -1)
    shown = look((scenes * 255).to(torch.uint8), warp)[:, 0]
    small = functional.avg_pool2d(shown, 4)
    assert ((small > 0.5) == seen).float().mean() > 0.99
    mirrored = torch.linalg.det(warp[:, :, :2]) < 0
    assert mirrored.any() == (group not in ("standard cable", "mark"))


def test_the_whole_scene_is_seen_where_nothing_moves() -> None:
    scenes = torch.randint(0, 256, (1, 3, 40, 40), generator=generator(), dtype=torch.uint8)
    smooth = functional.interpolate(scenes.float(), 320, mode="bicubic").clamp(0, 255)
    seen = look(smooth.to(torch.uint8), torch.eye(2, 3)[None])
    wanted = functional.interpolate(smooth / 255, 224, mode="bilinear", antialias=True)
    assert (seen - wanted).abs().mean() < 0.01


def test_the_sensor_adds_something_else_at_each_visit() -> None:
    seen = torch.rand((2, 3, 224, 224), generator=generator())
    first, again, other = (Sensor(generator(s)).take(seen, GREY) for s in (1, 1, 2))
    assert first.dtype == torch.uint8
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    spread = first.float().std(1).mean((1, 2))
    assert spread[0] < 1
    assert spread[1] > 10


def test_what_needs_its_colours_is_never_grey() -> None:
    coloured = torch.arange(4_000) % 2 == 0
    grey = Sensor(generator()).grey(coloured)
    assert not grey[coloured].any()
    assert grey[~coloured].float().mean().item() == pytest.approx(0.3, abs=0.05)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    folder: Path = tmp_path_factory.mktemp("scenes")
    shards.draw_shards(folder, shards.Plan(seed=3, count=8, shard=4))
    (folder / "draft-0009.npz").touch()  # that a killed process left
    return Pool(folder, 8, "cpu")


def test_a_visit_is_decided_by_its_step_and_its_sentences_are_true(pool: Pool) -> None:
    visits = Visits(pool, 8, "cpu", (3, 1))
    first, again, other = visits.at(5), visits.at(5), visits.at(6)
    assert len(pool) == 8
    assert torch.equal(first.batch.pixels, again.batch.pixels)
    assert not torch.equal(first.batch.pixels, other.batch.pixels)
    assert first.truth.diagonal().all()
    assert not first.truth.all()
    assert first.batch.harmed.flatten(1).any(1).equal(first.batch.parts.any(1))


def test_a_sentence_of_colours_is_not_true_of_a_grey_picture() -> None:
    facts = torch.tensor([[5, 7], [5, UNSEEN]])
    states = torch.tensor([[5, 0], [5, 7], [6, 0]])
    assert true_of(states, facts).tolist() == [[True, True, False], [True, False, False]]


def test_a_batch_holds_every_group_in_its_share_and_kinds_that_have_others(pool: Pool) -> None:
    rows = pool.choose(4_000, np.random.default_rng(0))
    groups = pool.known["groups"][rows]
    there = set(pool.known["groups"].tolist())
    share = (groups == GROUPS.index("ground")).float().mean().item()
    assert set(groups.tolist()) == there
    assert share > 0.4
    assert pool.grow() is None
    assert len(pool) == 8


def test_a_grey_picture_gets_a_sentence_that_names_no_colour() -> None:
    draw = torch.tensor([0.0, 0.3, 0.6, 0.99])
    assert sentence(draw, torch.ones(4, dtype=torch.bool)).tolist() == [2, 2, 3, 3]
    assert sentence(draw, torch.zeros(4, dtype=torch.bool)).tolist() == [0, 1, 2, 3]
