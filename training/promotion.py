"""May this version serve? Here alone the gate's decision and a person's word become an answer."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Literal

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.models import deployments
from db.models.standing import Standing
from db.session import transaction
from linewatch.errors import ModelChangedError, ModelError
from linewatch.settings import Settings
from model_store.gate.gate import Decision, GateOutcome
from model_store.store import ModelStore
from training.comparison.gate import Gated, gate, record

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants a version to serve, and how much.

    Attributes:
        kind: none: the gate is asked, and nothing is promoted. auto: what passes takes the place
            of the champion that serves. asked: a person wants it, a product's first model too.
            forced: a person wants it, whatever the gate says.
        by: who.
        why: kept with the promotion; of `auto` the gate's reason is.
        reasoned: whether the person gave that reason, and no command for them.
    """

    kind: Literal["none", "auto", "asked", "forced"]
    by: str = "linewatch"
    why: str = ""
    reasoned: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Wish:
        """What the plant wants of a model that nobody asked for."""
        return cls("auto" if settings.auto_promote == "gate" else "none")

    @classmethod
    def of_person(cls, by: str, why: str, *, force: bool = False, reasoned: bool = False) -> Wish:
        """What a person wants; `reasoned` if `why` is in their words.

        Raises:
            ModelError: force without a reason.
        """
        if force and not why.strip():
            raise ModelError("--force needs --why REASON, which is kept with the decision")
        return cls("forced" if force else "asked", by, why, reasoned and bool(why.strip()))


@dataclass(frozen=True, slots=True)
class Promotion:
    """Whether a version may serve, and whether it does now.

    Attributes:
        gated: what the gate said, and of whom.
        wish: who wants it to serve.
        granted: whether it may.
        promoted: whether it does: not before `carry_out`.
    """

    gated: Gated
    wish: Wish
    granted: bool
    promoted: bool = False

    @property
    def decision(self) -> Decision:
        """The gate's."""
        return self.gated.decision

    @property
    def why(self) -> str:
        """What is kept with the promotion."""
        if self.wish.kind == "auto":
            return f"gate: {self.decision.reasons[0]}"
        if self.decision.outcome is GateOutcome.FAILED:
            return f"{self.wish.why} (against the gate: failed)"
        if self.decision.outcome is GateOutcome.UNDECIDED:
            return f"{self.wish.why} (the gate: undecided)"
        return self.wish.why


def may_serve(decision: Decision, serving: str | None, wish: Wish) -> bool:
    """The whole rule.

    Without a person only what passed is promoted, and only in a champion's place: where none
    serves, a person retired it or has yet to choose the first. What the gate cannot decide a person
    may, and says why.
    """
    match wish.kind:
        case "none":
            return False
        case "auto":
            return decision.outcome is GateOutcome.PASSED and serving is not None
        case "asked":
            if decision.outcome is GateOutcome.UNDECIDED:
                return wish.reasoned
            return decision.outcome is not GateOutcome.FAILED
        case "forced":
            return True


def consider(
    engine: Engine, store: ModelStore, version: str, wish: Wish, *, settings: Settings
) -> Promotion:
    """Ask the gate about `version` and say whether it may serve; the gate's decision is written.

    Raises:
        ModelError: see `training.comparison.gate.gate`.
    """
    gated = gate(engine, store, version, settings)
    promotion = Promotion(gated, wish, may_serve(gated.decision, gated.before.version, wish))
    record(engine, gated, wish.by)
    return promotion


def carry_out(engine: Engine, promotion: Promotion, seen: Standing | None = None) -> Promotion:
    """Promote what may serve; what may not stays as it is.

    What only the gate wants to serve is not promoted where the champion has changed since the gate
    read it, or where this process may not promote.

    Args:
        seen: what served when the person wished it; None: what served when the gate read it.

    Raises:
        ModelChangedError: a person wants it, and saw, or the gate compared it with, a former
            champion.
    """
    gated, wish = promotion.gated, promotion.wish
    product, version = gated.product, gated.version
    if not promotion.granted:
        return promotion
    try:
        with transaction(engine) as connection:
            deployments.promote(
                connection,
                product,
                version,
                by=wish.by,
                why=promotion.why,
                expected=gated.before if seen is None else seen,
            )
    except ModelChangedError as error:
        if wish.kind != "auto":
            raise
        log.warning("%s passed the gate but was not promoted: %s", version, error)
        return promotion
    except DBAPIError as error:  # on PostgreSQL a worker's role may not promote unless allowed to
        if wish.kind != "auto":
            raise
        log.error(
            "%s passed the gate but was not promoted (%s); promote it with "
            "`linewatch models promote %s`, or see docs/models.md for the right it needs",
            version,
            " ".join(str(error.orig).split())[:200],
            version,
        )
        return promotion
    log.info("%s serves %s now: %s", version, product, promotion.why)
    return replace(promotion, promoted=True)


def promote(
    engine: Engine,
    store: ModelStore,
    version: str,
    wish: Wish,
    *,
    settings: Settings,
    seen: Standing | None = None,
) -> Promotion:
    """Promote at a person's word: what passes the gate, a product's first model, or by force.

    Args:
        seen: what served when they wished it; None: it holds whatever serves.

    Raises:
        ModelError: the gate did not let it through; its decision is written all the same.
        ModelChangedError: see `carry_out`.
    """
    considered = consider(engine, store, version, wish, settings=settings)
    promotion = carry_out(engine, considered, seen)
    if not promotion.promoted:
        decision = promotion.decision
        undecided = decision.outcome is GateOutcome.UNDECIDED
        raise ModelError(
            f"{version} is not promoted, the gate says {decision.outcome}: "
            f"{'; '.join(decision.reasons)}; to promote it all the same, give "
            f"{'' if undecided else '--force '}--why REASON"
        )
    return promotion
