"""Every report: what it can be narrowed to and grouped by, and the query object that makes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from console.page import Visit
from console.pages.reports.asked import Asked
from db.reports import backlog, flow, label_progress, label_verdict, pictures, rejected
from db.reports.appraisal import audit
from db.reports.groups import Filters
from db.reports.part_reports import defect_rate, lot, pareto, trend, versions
from db.reports.part_reports.filters import PartFilters
from db.reports.picture_range import PictureRange
from db.reports.report import Report
from linewatch.errors import ReportError

PERIOD = ("since", "until")
_NAMES = ("line", "product", "lot", "work_order", "shift", "model_version")
_TIMES = ("quarter", "hour", "day", "week", "month")
_NARROWED = ("product", "line", "lot", "work_order", "shift")


@dataclass(frozen=True, slots=True)
class Kind:
    """One report.

    Attributes:
        name: as in `linewatch report NAME`.
        title: for people.
        says: what it answers, in a sentence.
        make: makes it, with the database, the time zone and the settings of the visit.
        narrowed: what it can be narrowed to; `since` and `until` among them.
        groups: what it can be grouped by.
        usual: what it is grouped by where nobody says.
        of_pictures: counts pictures, not parts.
    """

    name: str
    title: str
    says: str
    make: Callable[[Visit, Asked, tuple[str, ...]], Report]
    narrowed: tuple[str, ...] = (*PERIOD, *_NARROWED)
    groups: tuple[str, ...] = ()
    usual: tuple[str, ...] = ()
    of_pictures: bool = False


def _parts(visit: Visit, asked: Asked) -> PartFilters:
    since, until = asked.instants(visit.site.settings.timezone)
    return PartFilters(since, until, **{name: asked.name(name) for name in _NARROWED})


def _range(visit: Visit, asked: Asked) -> PictureRange:
    since, until = asked.instants(visit.site.settings.timezone)
    names = {name: asked.name(name) for name in ("product", "line", "camera")}
    return PictureRange(since, until, **names)


def _defect_rate(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    return defect_rate.defect_rate(site.engine, _parts(visit, asked), by, site.settings.timezone)


def _first_pass(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    return defect_rate.first_pass(site.engine, _parts(visit, asked), by, site.settings.timezone)


def _pareto(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    filters, zone = _parts(visit, asked), site.settings.timezone
    return pareto.pareto(site.engine, filters, by, zone, asked.name("class"))


def _trend(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    return trend.trend(site.engine, _parts(visit, asked), by, site.settings.timezone)


def _lot(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    name = asked.name("lot")
    if name is None:
        raise ReportError("which lot? give its name")
    site = visit.site
    return lot.lot_release(site.engine, name, site.settings.timezone, asked.name("product"))


def _versions(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    return versions.versions(site.engine, _parts(visit, asked), by, site.settings.timezone)


def _label_verdict(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    filters, zone = _parts(visit, asked), site.settings.timezone
    return label_verdict.label_verdict(site.engine, filters, by, zone)


def _label_progress(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    settings = visit.site.settings
    wanted = label_progress.Wanted(pictures=settings.folds, labels=settings.retrain_after_labels)
    return label_progress.label_progress(visit.site.engine, wanted, product=asked.name("product"))


def _audit(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    site = visit.site
    return audit.audit(site.engine, _parts(visit, asked), site.settings.timezone)


def _backlog(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    site = visit.site
    return backlog.backlog(site.engine, _parts(visit, asked), site.settings.timezone)


def _rejected(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    site = visit.site
    return rejected.rejected(site.engine, _range(visit, asked), site.settings.timezone)


def _flow(visit: Visit, asked: Asked, _: tuple[str, ...]) -> Report:
    site, wanted = visit.site, _range(visit, asked)
    if wanted.since is None:
        day_ago = (wanted.until or datetime.now(UTC)) - timedelta(days=1)
        wanted = PictureRange(day_ago, wanted.until, wanted.product, wanted.line, wanted.camera)
    return flow.flow(site.engine, wanted, site.settings.timezone)


def _pictures(visit: Visit, asked: Asked, by: tuple[str, ...]) -> Report:
    site = visit.site
    since, until = asked.instants(site.settings.timezone)
    names = {name: asked.name(name) for name in ("product", "line", "camera", "lot")}
    filters = Filters(since, until, **names)
    return pictures.picture_report(site.engine, filters, by, site.settings.timezone)


CATALOGUE: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "defect-rate",
            "Defect rate",
            "How many parts are good, bad or open, with the rate's interval and its band.",
            _defect_rate,
            groups=(*_NAMES, *_TIMES),
            usual=("line",),
        ),
        Kind(
            "first-pass",
            "First-pass yield",
            "Parts that were good the first time, and bad ones per million.",
            _first_pass,
            groups=(*_NAMES, *_TIMES),
            usual=("line",),
        ),
        Kind(
            "pareto",
            "Pareto",
            "Defect classes by the number of parts that have them.",
            _pareto,
            narrowed=(*PERIOD, *_NARROWED, "class"),
            groups=(*_NAMES, *_TIMES),
        ),
        Kind(
            "trend",
            "Trend",
            "The defect rate beside the one of the period before, of equal length.",
            _trend,
            groups=_NAMES,
            usual=("line",),
        ),
        Kind(
            "lot",
            "Lot release",
            "All that is known of a lot: counts, classes, who decided, open parts.",
            _lot,
            narrowed=("lot", "product"),
        ),
        Kind(
            "versions",
            "Model versions over time",
            "Parts by the model version that judged them, day by day.",
            _versions,
            groups=("line", "lot", "work_order", "shift", *_TIMES),
            usual=("day",),
        ),
        Kind(
            "label-verdict",
            "Label against verdict",
            "What people said against what the model said: agreement, escapes, overkill.",
            _label_verdict,
            narrowed=(*PERIOD, "product", "line", "lot"),
            groups=("product", "line", "model_version", "class"),
            usual=("product", "class"),
        ),
        Kind(
            "audit",
            "Audit sample",
            "The line's true defect rate, escapes and overkill, from the audit sample.",
            _audit,
            narrowed=(*PERIOD, "product", "line", "lot"),
        ),
        Kind(
            "label-progress",
            "Label progress",
            "Labelled pictures by class: how many there are, are needed, and are new.",
            _label_progress,
            narrowed=("product",),
        ),
        Kind(
            "backlog",
            "Review backlog",
            "Parts that are open now, why, and how old the oldest is.",
            _backlog,
            narrowed=("product", "line", "lot", "work_order"),
        ),
        Kind(
            "rejected",
            "Rejected pictures",
            "Pictures that could not be judged, by camera and reason.",
            _rejected,
            narrowed=(*PERIOD, "product", "line", "camera"),
            of_pictures=True,
        ),
        Kind(
            "flow",
            "Takt, queue and latency",
            "Percentiles by line, in seconds.",
            _flow,
            narrowed=(*PERIOD, "product", "line", "camera"),
            of_pictures=True,
        ),
        Kind(
            "pictures",
            "Pictures by camera",
            "How pictures ended, in the hour of their verdict. Parts are counted by defect rate.",
            _pictures,
            narrowed=(*PERIOD, "product", "line", "camera", "lot"),
            groups=("line", "camera", "product", "lot", "hour", "shift", "day"),
            usual=("camera",),
            of_pictures=True,
        ),
    )
}
