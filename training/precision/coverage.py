"""Whether a model may judge the features that a worker makes."""

from __future__ import annotations

from sqlalchemy import Engine

from db.models import feature_spaces, precision_checks
from model_store.manifest import Manifest


def uncovered(engine: Engine, manifest: Manifest, fingerprint: str) -> str | None:
    """Why the model may not judge features of `fingerprint`; None where it may.

    It may where it was fitted on such features, or where `linewatch backends check` measured that
    it judges them as it judges its own.
    """
    if manifest.fingerprint == fingerprint:
        return None
    if precision_checks.holds(engine, manifest.version, fingerprint):
        return None
    fitted = feature_spaces.get(engine, manifest.fingerprint)
    made = feature_spaces.get(engine, fingerprint)
    words = (
        f"model {manifest.version} was fitted on features {manifest.fingerprint:.16} "
        f"({manifest.encoders}), but this worker makes {fingerprint:.16}"
    )
    if fitted is not None and made is not None and fitted.family == made.family:
        return (
            f"{words} ({made.encoders}): the same encoders in another precision, on which it was "
            "not shown to judge alike; run `linewatch backends check "
            f"{manifest.product}` with this worker's settings, or set LINEWATCH_PRECISION back"
        )
    return (
        f"{words}; start it with the encoders the model was fitted on, or retire the model with "
        f"`linewatch models retire {manifest.product}`"
    )
