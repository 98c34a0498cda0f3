"""What `submit` and `watch` say of a picture that was not judged: what a person can do."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from linewatch.commands._picture_lines import verdict_text
from producer.contract import Reason, Verdict
from producer.inbox import KeptReceipt

OF_THE_MODEL = {  # the part is to be looked at: nothing is wrong with the picture
    *(Reason.UNCERTAIN, Reason.NOVEL, Reason.NOT_FINITE, Reason.UNKNOWN_FIELDS, Reason.DAMAGED),
}
PRODUCER = UUID(int=1)


@pytest.mark.parametrize("reason", sorted(set(Reason) - OF_THE_MODEL))
def test_each_reason_says_what_to_do(reason: Reason) -> None:
    said = verdict_text(
        KeptReceipt.model_validate(
            {
                "id": PRODUCER,
                "verdict": Verdict.REJECTED,
                "reason": reason,
                "decided_at": datetime.now(UTC),
            }
        )
    )
    assert f"  {reason}: " in said
