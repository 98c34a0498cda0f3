from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from vision.patch_maps import GRID, patch_tokens


def test_tokens_lie_row_by_row_where_the_stages_saw_them() -> None:
    stage = torch.ones(2, 4, 56, 56)
    stage[1, 2, 20:24, 48:52] = 5.0  # row 5, column 12 of 14
    tokens = patch_tokens([stage, torch.ones(2, 3, 14, 14)])
    assert tokens.shape == (2, GRID * GRID, 7)
    torch.testing.assert_close(tokens.norm(dim=-1), torch.ones(2, GRID * GRID))
    changed = (tokens[1] - tokens[0])[:, 2].reshape(GRID, GRID)
    rows, columns = torch.nonzero(changed > 0.01, as_tuple=True)
    assert set(rows.tolist()) == {4, 5, 6}  # a place and its neighbours
    assert set(columns.tolist()) == {11, 12, 13}


def test_a_stage_weighs_as_much_as_any_other_however_loud_it_is() -> None:
    a, b = torch.rand(1, 4, 14, 14), torch.rand(1, 6, 28, 28)
    torch.testing.assert_close(patch_tokens([a, b]), patch_tokens([1000 * a, b]))


@pytest.mark.parametrize(("sides", "places"), [((7, 7), 49), ((14, 7), 196), ((56, 28, 14), 196)])
def test_the_grid_is_no_finer_than_what_was_seen(sides: tuple[int, ...], places: int) -> None:
    stages = [torch.rand(1, 3, side, side) for side in sides]
    assert patch_tokens(stages).shape == (1, places, 3 * len(sides))


@pytest.mark.parametrize("side", [14, 28, 42, 56])
def test_cells_of_whole_pixels_are_pooled_as_adaptive_pooling_does(side: int) -> None:
    stages = [torch.rand(2, 5, side, side), torch.rand(2, 3, 14, 14)]
    pooled = [functional.adaptive_avg_pool2d(stage, GRID) for stage in stages]
    torch.testing.assert_close(patch_tokens(stages), patch_tokens(pooled), atol=1e-6, rtol=0)
