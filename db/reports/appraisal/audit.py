"""`linewatch report audit`: the line's true defect rate, and how the model errs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo

from sqlalchemy import Connection, Engine

from db.reports.appraisal.audit_strata import Audited, Counted, Counts, audited
from db.reports.appraisal.labelled_parts import sensitivity_and_specificity
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.names import refuse_unknown
from db.reports.part_reports.past import notes_on_past
from db.reports.part_reports.period import used_period
from db.reports.report import Report, Row
from db.session import reading
from quality.audit.estimators import Truth, truth
from quality.audit.sample import Estimate, NoAuditError, parts_of
from quality.intervals.prevalence import NotEstimableError, Proportion, estimate
from quality.parts.disposition import By, Disposition

ROGAN_GLADEN = "rogan-gladen"
_COLUMNS = (
    *("product", "parts", "share", "drawn", "answered", "unanswered"),
    *("escapes", "escapes_from", "escapes_to", "escape_rate"),
    *("overkill", "overkill_from", "overkill_to", "overkill_rate"),
    *("rate", "rate_low", "rate_high", "method"),
)
_COUNTS = ("parts", "drawn", "answered", "unanswered")
_ESTIMATES = ("escapes", "escapes_from", "escapes_to", "overkill", "overkill_from", "overkill_to")
_BLANK: Row = {
    **dict.fromkeys(_COLUMNS),
    **dict.fromkeys(_COUNTS, 0),
    **dict.fromkeys(_ESTIMATES, 0.0),
}


def audit(engine: Engine, filters: PartFilters, timezone: tzinfo) -> Report:
    """A row a product that has parts in the range.

    `parts` are the first passes that the figures are about: decided ones, made while a share was
    drawn. Escapes are nonconforming parts among those that the model passed, overkill conforming
    ones among those it did not; `_from` and `_to` are their 95 % interval.

    Raises:
        ReportError: the range is backwards or in the future, or a name is not known.
    """
    with reading(engine) as connection:
        period = used_period(
            connection,
            filters.since,
            filters.until,
            now=datetime.now(UTC),
            line=filters.line,
        )
        counts = Counts(connection, filters)
        products = counts.products(period)
        if not products:
            refuse_unknown(connection, filters)
        rows, notes = (
            [],
            [*period.notes(timezone), *notes_on_past(connection, timezone, period.since)],
        )
        for product in products:
            found = audited(connection, product, filters, period, counts)
            row, said = _row(connection, product, found, counts.of(product, period))
            rows.append({"product": product, **row})
            notes += [f"{product}: {sentence}" for sentence in (*said, *_notes(found))]
    since, until = period.local(timezone)
    in_order = tuple({name: row.get(name) for name in _COLUMNS} for row in rows)
    return Report("audit", "Audit", in_order, since, until, tuple(notes), blank=_BLANK)


def _row(
    connection: Connection, product: str, found: Audited, counts: Sequence[Counted]
) -> tuple[Row, list[str]]:
    if not found.drawn:
        return _by_labels(connection, product, _called(counts))
    shares = found.shares
    drawn: Row = {
        "parts": parts_of(found.strata) + found.by_people,
        "share": shares[0] if len(shares) == 1 else None,
        "drawn": found.drawn,
        "answered": sum(one.answered for one in found.strata),
        "unanswered": sum(one.drawn - one.answered for one in found.strata),
    }
    try:
        figures = truth(found.strata, found.by_people, found.bad_by_people)
    except NoAuditError as error:
        return drawn, [str(error)]
    return {**drawn, **_figures(figures)}, list(_of_truth(figures))


def _figures(figures: Truth) -> Row:
    whole = figures.nonconforming
    return {
        **_estimate("escapes", "escape_rate", figures.escapes),
        **_estimate("overkill", "overkill_rate", figures.overkill),
        "rate": whole.rate,
        "rate_low": whole.rate_low,
        "rate_high": whole.rate_high,
        "method": str(whole.method),
    }


def _estimate(name: str, rate: str, found: Estimate | None) -> Row:
    if found is None:
        return {}
    return {
        name: round(found.count, 1),
        f"{name}_from": round(found.low, 1),
        f"{name}_to": round(found.high, 1),
        rate: found.rate,
    }


def _of_truth(figures: Truth) -> Iterable[str]:
    if figures.taken_at_its_word:
        yield (
            f"of {figures.taken_at_its_word} parts no part that was drawn is answered: the model's "
            "word stands for them in the figure, and the interval allows for anything"
        )


def _notes(found: Audited) -> Iterable[str]:
    unanswered = sum(one.drawn - one.answered for one in found.strata)
    if unanswered:
        yield (
            f"{unanswered} of {found.drawn} drawn parts wait for an answer; they are taken to be "
            "like the answered ones, not good: `linewatch audit-sample list`"
        )
    if found.drawn and found.uncovered:
        yield f"{found.uncovered} parts were made while none was drawn, and are in no figure"
    if len(found.shares) > 1:
        yield f"the share was changed: {', '.join(f'{one:g}' for one in found.shares)}"
    if found.reinspections:
        yield f"{found.reinspections} drawn re-inspections are in no figure: it is of first passes"


def _by_labels(
    connection: Connection, product: str, called: Proportion | None
) -> tuple[Row, list[str]]:
    """Without a sample: by how the model does on labelled parts."""
    none: Row = {"parts": called.trials if called else 0, "drawn": 0}
    if called is None:
        return none, ["the model decided no part in this range, and none was drawn for an audit"]
    sensitivity, specificity = sensitivity_and_specificity(connection, product)
    advice = "set audit_share in its product file, and people see a random share of the parts"
    if sensitivity is None or specificity is None:
        kind = "bad" if sensitivity is None else "good"
        return none, [
            f"no part was drawn, and no labelled or golden part is {kind}, so nothing says how the "
            f"model errs; {advice}"
        ]
    try:
        found = estimate(called, sensitivity, specificity)
    except NotEstimableError as error:
        return none, [str(error)]
    said = (
        "no part was drawn: the rate is Rogan and Gladen's, of the parts that the model decided, "
        f"by its word on labelled parts (bad found {sensitivity.hits} of {sensitivity.trials}, "
        f"good passed {specificity.hits} of {specificity.trials}); labels are no random "
        f"sample, so it may be far off; {advice}"
    )
    rates = {"rate": found.rate, "rate_low": found.low, "rate_high": found.high}
    return {**none, **rates, "method": ROGAN_GLADEN}, [said]


def _called(counts: Sequence[Counted]) -> Proportion | None:
    """First passes that the model called nonconforming, of those that it decided."""
    by_model = [one for one in counts if one.decided_by == By.MODEL]
    total = sum(one.parts for one in by_model)
    bad = sum(one.parts for one in by_model if one.disposition == Disposition.NONCONFORMING)
    return Proportion(bad, total) if total else None
