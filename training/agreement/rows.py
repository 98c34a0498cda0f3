"""The rows of an agreement study, all with the same columns. Pure."""

from __future__ import annotations

from db.reports.report import Row
from quality.agreement.agreement import Agreement
from quality.agreement.appraiser import Appraiser, Share
from quality.agreement.kappa import Kappa


def of_appraiser(one: Appraiser, study: Agreement) -> Row:
    """The row of one appraiser."""
    return {
        "kind": "appraiser",
        "appraiser": one.name,
        "parts": study.parts,
        "trials": study.trials,
        **_share("effectiveness", one.effectiveness),
        **_share("miss_rate", one.miss_rate),
        **_share("false_alarm_rate", one.false_alarm_rate),
        **_share("always_right", one.always_right),
        **_share("repeatability", one.repeatability),
        **_kappa(one.against_reference),
        "acceptance": str(one.acceptance),
    }


def of_kappa(
    kind: str, name: str, study: Agreement, kappa: Kappa | None, right: Share | None = None
) -> Row:
    """The row of two, or of all, whose agreement with each other is told."""
    return {
        "kind": kind,
        "appraiser": name,
        "parts": study.parts,
        "trials": study.trials,
        **_share("effectiveness", None),
        **_share("miss_rate", None),
        **_share("false_alarm_rate", None),
        **_share("always_right", right),
        **_share("repeatability", None),
        **_kappa(kappa),
        "acceptance": None,
    }


def blank_row() -> Row:
    """A row of no appraiser: its columns."""
    nothing = Agreement(0, 0, (), {}, None, Share(0, 0, 0.0, 0.0))
    return {
        **of_kappa("", "", nothing, None),
        **_kappa(Kappa(0.0, None, 0.0, 0.0)),
        "acceptance": "",
    }


def _share(name: str, share: Share | None) -> Row:
    return {
        name: share.rate if share else None,
        f"{name}_low": share.low if share else None,
        f"{name}_high": share.high if share else None,
    }


def _kappa(kappa: Kappa | None) -> Row:
    return {
        "kappa": kappa.value if kappa else None,
        "kappa_from": kappa.low if kappa else None,
        "kappa_to": kappa.high if kappa else None,
    }
