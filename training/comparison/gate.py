"""Asks the gate about a challenger: one read, the comparison, one record."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace

from sqlalchemy import Engine

from db.models import feature_spaces, gate_decisions, versions
from db.models.standing import Standing, standing
from db.models.versions import VersionInfo
from db.session import transaction
from linewatch.errors import ModelError, TrainingError
from linewatch.settings import Settings
from model_store.gate.evidence import Evidence
from model_store.gate.gate import Decision, GateOutcome, Rules, decide, first
from model_store.store import ModelStore
from training.comparison.comparison import Comparison
from training.stored_model import load

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Gated:
    """A challenger that the gate has judged.

    Attributes:
        product: whose.
        version: the challenger.
        before: what served when it was judged; a promotion on its word expects that still.
        champion: whom it was compared with: who served, or served last; None where nobody ever did.
        decision: what the gate says.
        golden_digest: of the golden set that was compared on.
    """

    product: str
    version: str
    before: Standing
    champion: str | None
    decision: Decision
    golden_digest: str | None


def rules_of(settings: Settings) -> Rules:
    """The gate's rules as the settings have them."""
    return Rules(
        least_defects=settings.gate_least_defects,
        escape_margin=settings.gate_escape_margin,
        least_pictures=settings.gate_least_pictures,
        review_growth=settings.gate_review_growth,
        macro_f1_loss=settings.gate_macro_f1_loss,
        class_pictures=settings.folds,
    )


def gate(engine: Engine, store: ModelStore, version: str, settings: Settings) -> Gated:
    """Judge `version` against its product's champion; see `record` for writing that down.

    After the champion was retired that is the one that served last: else retiring it would be the
    way round the gate.

    Raises:
        ModelError: there is no such version, its files are damaged, it serves already, or no
            worker of this plant ever made the features that it was fitted on.
    """
    info = versions.require(engine, version)
    space = feature_spaces.get(engine, info.fingerprint)
    before = standing(engine, info.product)
    champion = before.last
    if space is None:
        raise ModelError(
            f"model {version} was fitted on features {info.fingerprint:.16} ({info.encoders}), "
            "which no worker of this plant has ever made; start one with those encoders first, or "
            "train a new version with `linewatch train`"
        )
    if before.version == version:
        raise ModelError(f"{version} serves {info.product} already")
    if champion is None:
        load(store, info)
        return Gated(info.product, version, before, None, first(), None)
    decision, digest = _against(engine, store, champion, info, settings)
    if before.version is None:
        note = f"no model serves {info.product} now; it is compared with {champion}, the last one"
        decision = replace(decision, reasons=(*decision.reasons, note))
    return Gated(info.product, version, before, champion, decision, digest)


def record(engine: Engine, gated: Gated, by: str) -> None:
    """Write the gate's decision down."""
    decision = gated.decision
    with transaction(engine) as connection:
        gate_decisions.add(
            connection,
            product=gated.product,
            challenger=gated.version,
            champion=gated.champion,
            outcome=str(decision.outcome),
            reasons=decision.reasons,
            figures=decision.figures,
            golden_digest=gated.golden_digest,
            by=by,
        )
    log.info("gate: %s %s: %s", gated.version, decision.outcome, "; ".join(decision.reasons))


def evidence(
    engine: Engine, store: ModelStore, champion: str, challenger: VersionInfo, settings: Settings
) -> Evidence:
    """What both versions say of the same pictures; see `model_store.gate.evidence`.

    Raises:
        ModelError: a version is unknown or damaged, or they are of two products.
        TrainingError: a version cannot be fitted again on what it was fitted on.
    """
    found = Comparison.read(engine, champion, challenger, settings.golden_set, settings.group_by)
    return found.evidence(store, settings)


def _against(
    engine: Engine, store: ModelStore, champion: str, challenger: VersionInfo, settings: Settings
) -> tuple[Decision, str | None]:
    """The gate's decision, and the digest of the golden set that was compared on."""
    rules = rules_of(settings)
    try:
        found = evidence(engine, store, champion, challenger, settings)
    except (ModelError, TrainingError) as error:
        load(store, challenger)  # what is wrong with the challenger itself is no decision
        reason = f"{champion} and it cannot be compared: {error}"
        return Decision(GateOutcome.UNDECIDED, (reason,), {}), None
    decision = decide(found.sets, rules, lost_classes=found.lost_classes, notes=found.notes)
    return decision, found.golden_digest
