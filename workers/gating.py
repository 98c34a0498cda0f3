"""Runs the gate on a challenger, writes the decision down, and promotes where that is wanted."""

from __future__ import annotations

import logging

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db import deployments, gate_decisions, model_versions, products
from linewatch.errors import ModelError, TrainingError
from linewatch.settings import Settings
from model_store.gate import Decision, Outcome, Rules, decide, first
from model_store.store import ModelStore, StoredModel
from workers.evidence import Evidence, collect

log = logging.getLogger(__name__)


def rules_of(settings: Settings) -> Rules:
    """The gate's rules as the settings have them."""
    return Rules(
        least_pictures=settings.gate_least_pictures,
        review_growth=settings.gate_review_growth,
        macro_f1_loss=settings.gate_macro_f1_loss,
        class_pictures=settings.folds,
    )


def gate(
    engine: Engine, store: ModelStore, version: str, *, settings: Settings, by: str
) -> Decision:
    """Judge `version` against its product's champion; the decision is written with its reasons.

    Raises:
        ModelError: there is no such version, its files are damaged, or it serves already.
    """
    challenger = stored_model(engine, store, version)
    product = challenger.manifest.product
    champion = deployments.champion(engine, product)
    if champion == version:
        raise ModelError(f"{version} serves {product} already")
    digest: str | None = None
    if champion is None:
        decision = first()
    else:
        decision, digest = _against(engine, store, champion, challenger, settings)
    gate_decisions.add(
        engine,
        product=product,
        challenger=version,
        champion=champion,
        outcome=str(decision.outcome),
        reasons=decision.reasons,
        figures=decision.figures,
        golden_digest=digest,
        by=by,
    )
    log.info("gate: %s %s: %s", version, decision.outcome, "; ".join(decision.reasons))
    return decision


def _against(
    engine: Engine, store: ModelStore, champion: str, challenger: StoredModel, settings: Settings
) -> tuple[Decision, str | None]:
    try:
        found = evidence(engine, store, champion, challenger.manifest.version, settings)
        old = stored_model(engine, store, champion)
    except (ModelError, TrainingError) as error:
        reason = f"{champion} and it cannot be compared: {error}"
        return Decision(Outcome.UNDECIDED, (reason,), {}), None
    spec = products.get(engine, challenger.manifest.product)
    in_force = set(spec.class_codes) if spec else set()
    lost = (set(old.head.classes) & in_force) - set(challenger.head.classes)
    decision = decide(found.sets, rules_of(settings), lost_classes=sorted(lost), notes=found.notes)
    return decision, found.golden_digest


def evidence(
    engine: Engine, store: ModelStore, champion: str, challenger: str, settings: Settings
) -> Evidence:
    """What both versions say of the same pictures; see `workers.evidence`.

    Raises:
        ModelError: a version is unknown or damaged, or they are of two products.
        TrainingError: see `workers.evidence.collect`.
    """
    old, new = (stored_model(engine, store, version) for version in (champion, challenger))
    if old.manifest.product != new.manifest.product:
        raise ModelError(
            f"{champion} is for {old.manifest.product} and {challenger} for {new.manifest.product}"
        )
    spec = products.get(engine, new.manifest.product)
    if spec is None:
        raise ModelError(f"no product is called {new.manifest.product!r}")
    return collect(engine, spec, old, new, store, settings)


def promote(
    engine: Engine,
    store: ModelStore,
    version: str,
    *,
    settings: Settings,
    by: str,
    why: str,
    force: bool = False,
) -> Decision:
    """Promote at a person's word: what passes the gate, a product's first model, or by force.

    Raises:
        ModelError: the gate did not let it through; the decision is written all the same.
    """
    decision = gate(engine, store, version, settings=settings, by=by)
    refused = decision.outcome in (Outcome.FAILED, Outcome.UNDECIDED)
    if refused and not force:
        raise ModelError(
            f"{version} is not promoted, the gate says {decision.outcome}: "
            f"{'; '.join(decision.reasons)}; to promote it all the same, give --force --why REASON"
        )
    product = stored_model(engine, store, version).manifest.product
    note = f"{why} (against the gate: {decision.outcome})" if refused else why
    deployments.promote(engine, product, version, by=by, why=note)
    return decision


def promote_if_passed(
    engine: Engine, product: str, version: str, champion: str | None, decision: Decision
) -> bool:
    """Promote what passed the gate; False where it did not, or the champion has changed since."""
    if not decision.passed or deployments.champion(engine, product) != champion:
        return False
    try:
        deployments.promote(
            engine, product, version, by="linewatch", why=f"gate: {decision.reasons[0]}"
        )
    except DBAPIError as error:  # on PostgreSQL a worker's role may not promote unless allowed to
        log.error(
            "%s passed the gate but was not promoted (%s); promote it with "
            "`linewatch models promote %s`, or see docs/models.md for the right it needs",
            version,
            " ".join(str(error.orig).split())[:200],
            version,
        )
        return False
    log.info("%s passed the gate and serves %s now", version, product)
    return True


def stored_model(engine: Engine, store: ModelStore, version: str) -> StoredModel:
    """Load a version whose manifest is the one that was recorded.

    Raises:
        ModelError: there is no such version, or its files are not what was saved.
    """
    info = model_versions.get(engine, version)
    if info is None:
        raise ModelError(f"no version is called {version!r}; see `linewatch models list`")
    return store.load(info.product, version, manifest_sha256=info.manifest_sha256)
