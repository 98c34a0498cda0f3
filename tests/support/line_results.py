"""What receivers are told, made without a plant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from outputs.result import Result
from quality.parts.disposition import Disposition

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_result(**fields: Any) -> Result:
    """A good part's, committed at noon."""
    usual: dict[str, Any] = {
        "id": uuid4(),
        "sequence": 1,
        "line": "L1",
        "product": "cable",
        "disposition": Disposition.CONFORMING,
        "committed_at": NOON,
    }
    return Result(**{**usual, **fields})
