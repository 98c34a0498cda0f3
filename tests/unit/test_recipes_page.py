"""docs/learning.md shows what the comparison found, and the default is what was compared."""

from __future__ import annotations

import json

import numpy as np
import pytest

from benchmarks.recipes.candidates import CANDIDATES, DEFAULT, SEED, SEED_PARTS
from benchmarks.recipes.report import DOCS, RESULT, ratios, updated
from linewatch.settings import Settings
from vision.parts import parse_part
from vision.recipes import RECIPES, PartsRecipe


def test_the_table_is_made_from_the_result() -> None:
    page = DOCS.read_text()
    report = json.loads(RESULT.read_text())
    assert updated(page, report) == page, "run `python -m benchmarks.recipes.report`"
    assert report["ratios"] == ratios(report["rows"])


def test_what_serves_by_default_is_what_was_compared() -> None:
    recipe = RECIPES[Settings.model_fields["recipe"].default]
    assert isinstance(recipe, PartsRecipe)
    assert tuple(map(str, recipe.parts)) == DEFAULT.parts
    assert DEFAULT.head == SEED.head  # production fits the seed's head
    assert set(map(str, recipe.parts)) > set(SEED_PARTS)


@pytest.mark.parametrize("candidate", CANDIDATES, ids=lambda candidate: candidate.name)
def test_every_candidate_names_parts_that_there_are(candidate: object) -> None:
    parts = getattr(candidate, "parts", ())
    assert parts
    assert tuple(str(parse_part(part)) for part in parts) == parts


def test_what_names_no_part_is_refused() -> None:
    for text in ("clip", "clip.median", "dino.mean@far", "dino.mean[2]"):
        with pytest.raises(ValueError, match="is no part"):
            parse_part(text)


def test_the_comparison_is_paired() -> None:
    report = json.loads(RESULT.read_text())
    assert report["settings"]["draws"] >= 20
    for row in report["rows"]:
        seeds = [
            other
            for other in report["rows"]
            if (other["encoders"], other["pictures"], other["recipe"])
            == (row["encoders"], row["pictures"], SEED.name)
        ]
        assert len(seeds) == 1
        gain = row["macro_f1"] - seeds[0]["macro_f1"]
        assert gain == pytest.approx(row["minus_seed"], abs=2e-4)
        assert row["low"] <= row["minus_seed"] <= row["high"]
    assert np.isfinite(report["ratios"]["default_minus_seed_macro_f1"])
