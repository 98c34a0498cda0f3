"""Tables of trials that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from linewatch.errors import LabelError
from linewatch.labels.trials_file import read_trials

HEADER = "appraiser,part,trial,said\n"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("ann," + "P" * 140_000 + ",1,good", "line 2: field larger than field limit"),
        ('ann,"P1,1,good', "line 2: unexpected end of data"),
        ("ann,P1," + "1" * 5000 + ",good", "is no number from 1 to 1000"),
        ("ann,P1,0,good", "trial '0' is no number from 1"),
    ],
)
def test_what_is_no_table_of_trials_is_one_sentence(tmp_path: Path, row: str, words: str) -> None:
    file = tmp_path / "trials.csv"
    file.write_text(HEADER + row + "\n")
    with pytest.raises(LabelError, match=words):
        read_trials(file, {"good": "good"})


def test_a_file_without_an_end_is_not_read_to_its_end() -> None:
    with pytest.raises(LabelError, match="/dev/zero has more than 128 MB"):
        read_trials(Path("/dev/zero"), {"good": "good"})
