"""Take a picture in, or say over HTTP why not."""

from __future__ import annotations

from uuid import UUID

from starlette.exceptions import HTTPException

from console.inspections.intake import Intake
from linewatch.errors import ConfigurationError, SpoolError
from producer.contract import Reason
from producer.submission import Station, Submission
from vision.errors import Unjudgeable

_STATUS = {Reason.TOO_LARGE: 413, Reason.NOT_AN_IMAGE: 415}


def take(
    intake: Intake, data: bytes, station: Station, submission: Submission, sha256: str | None = None
) -> UUID:
    """Accept one picture; arguments as of `Intake.accept`.

    Raises:
        HTTPException: 413, 415, 422 or 503.
        SubmissionError: a field cannot be used.
    """
    try:
        return intake.accept(data, station, submission, sha256=sha256)
    except Unjudgeable as error:
        raise HTTPException(_STATUS.get(error.reason, 422), f"picture: {error.detail}") from None
    except (ConfigurationError, SpoolError, OSError) as error:
        raise HTTPException(503, str(error), {"retry-after": "10"}) from None
