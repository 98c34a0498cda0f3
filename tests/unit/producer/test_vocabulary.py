"""Words of the contract that a later version, or 0.1.0, spells otherwise."""

from __future__ import annotations

import pytest

from producer.contract import Reason, Verdict
from producer.contract.vocabulary import FIRST_REASONS, stand_in


@pytest.mark.parametrize(
    ("reason", "verdict", "said"),
    [
        (Reason.CORRUPT, Verdict.REJECTED, Reason.CORRUPT),
        (Reason.CHANGED, Verdict.REJECTED, Reason.HASH_MISMATCH),
        (Reason.DAMAGED, Verdict.REVIEW, Reason.CORRUPT),
        (Reason.UNKNOWN_FIELDS, Verdict.REVIEW, Reason.UNCERTAIN),
        (Reason("of_tomorrow"), Verdict.REJECTED, Reason.UNREADABLE),
        (Reason("of_tomorrow"), Verdict.DEAD_LETTER, Reason.UNREADABLE_MESSAGE),
        (Reason("of_tomorrow"), Verdict.REVIEW, Reason.UNCERTAIN),
    ],
)
def test_a_camera_of_0_1_0_reads_the_nearest_reason(
    reason: Reason, verdict: Verdict, said: Reason
) -> None:
    assert stand_in(reason, verdict) is said
    assert said in FIRST_REASONS


@pytest.mark.parametrize("kind", [Reason, Verdict])
def test_a_word_of_tomorrow_is_kept_and_is_no_member(kind: type[Reason | Verdict]) -> None:
    word = kind("of_tomorrow")
    assert (str(word), word.value, word.name) == ("of_tomorrow",) * 3
    assert word not in list(kind)
    with pytest.raises(ValueError, match="7 is not a valid"):
        kind(7)
