"""Why a picture cannot be judged."""

from __future__ import annotations

from linewatch.errors import LinewatchError
from producer.contract import Reason


class Unjudgeable(LinewatchError):  # noqa: N818 - a property of the picture, not a fault of ours
    """A picture that must be `rejected`: `reason` is the row's code, `detail` says why."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
