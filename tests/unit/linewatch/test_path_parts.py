"""`linewatch evaluate dataset --group-by REGEX`: which pictures are of one part."""

from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.errors import EvaluationError
from linewatch.evaluation.path_parts import parts_by
from linewatch.evaluation.pictures import LabelledFile

FOLDER = Path("/sets/123_bolts")
PATHS = ("good/7_top.png", "good/7_side.png", "bent/12_top.png", "bent/more/12_side.png")


def files(*paths: str) -> list[LabelledFile]:
    return [LabelledFile(FOLDER / path, path.split("/")[0]) for path in paths]


def same(pattern: str, *paths: str) -> list[int]:
    names = parts_by(pattern, FOLDER, files(*paths))
    return [names.index(name) for name in names]


@pytest.mark.parametrize(
    "pattern", [r"(\d+)_", r"\d+_", r"/(\d+)_(?:top|side)", r"(?P<part>\d+)_(top|side)"]
)
def test_the_first_group_or_the_whole_match_names_the_part(pattern: str) -> None:
    assert same(pattern, *PATHS) == [0, 0, 2, 2]


def test_the_path_below_the_folder_counts_and_nothing_above() -> None:
    """Else the set's own name would make all of it one part."""
    assert same(r"(\d+)", *PATHS) == [0, 0, 2, 2]


def test_a_path_that_says_nothing_is_a_part_of_its_own() -> None:
    assert same(r"(\d+)_", *PATHS, "good/odd.png", "good/even.png") == [0, 0, 2, 2, 4, 5]
    assert same(r"x|(\d+)_", *PATHS, "good/x.png", "bent/x.png") == [0, 0, 2, 2, 4, 5]
    assert same(r"(\d*)x", "good/x.png", "bent/x.png", "good/1x.png") == [0, 0, 2]


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "no regular expression"),
        (r"serial-\d+", r"matches none of the 4 paths, such as 'good/7_top.png'"),
        (r"\.png", r"all 4 pictures are of one part, '\.png'"),
        (r"()", r"all 4 pictures are of one part, ''"),
    ],
)
def test_a_pattern_that_parts_nothing_is_one_sentence(pattern: str, said: str) -> None:
    with pytest.raises(EvaluationError, match=said):
        parts_by(pattern, FOLDER, files(*PATHS))
