"""A control chart: points, limits, notes; its baseline, and its signals with their reactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Query
from markupsafe import Markup
from pydantic import Field

from console.access.roles import Role
from console.drawing import DrawnPoint, drawing
from console.page import Context, Page, Visit
from db import products
from db.charts import signals
from db.charts.chart import BY, Chart
from db.charts.points import ChartPoint
from db.charts.signals import Signal
from db.charts.view import ChartView, chart_view
from db.inspections import stations
from db.reports.long_tables import refuse_long_table
from db.reports.report import asked_range
from linewatch.errors import LinewatchError
from quality.charts.attribute_charts import Kind

_SIGNALS = 50
_MOST_DRAWN = 1000  # points; a screen has no more columns of pixels for them


@dataclass(frozen=True)
class AskedChart:
    """Which chart, and its range; without a product the first one's."""

    product: Annotated[str | None, Query(max_length=4096)] = None
    line: Annotated[str, Query(max_length=4096, description="Empty: all lines together.")] = ""
    class_: Annotated[str, Query(alias="class", max_length=4096)] = ""
    by: Annotated[str, Query(description=f"What a subgroup is: {', '.join(BY)}.")] = "shift"
    n: Annotated[str, Query(description="Parts of a subgroup, where it is by n.")] = ""
    since: Annotated[str, Query(max_length=64)] = ""
    until: Annotated[str, Query(max_length=64)] = ""

    def chart(self, product: str) -> Chart:
        """The chart.

        Raises:
            ChartError: there are no such subgroups.
        """
        number = int(self.n) if self.n.isdecimal() and len(self.n) < 10 else 0
        return Chart(product, self.line, self.class_, self.by, number if self.by == "n" else 0)


class Point(DrawnPoint):
    """A subgroup, or a gap of good parts."""

    drawn = ("label", "value", "lower", "centre", "upper", "provisional", "signal")

    label: str = Field(description="The subgroup's name.")
    starts: datetime = Field(description="When it began.")
    ends: datetime = Field(description="When it was over.")
    parts: int = Field(description="Decided parts; of a gap its good parts and the bad one.")
    nonconforming: int = Field(description="Of these.")
    open: int = Field(description="Parts that nobody decided yet.")
    value: float | None = Field(description="Share of nonconforming parts, or good parts of a gap.")
    lower: float | None = Field(description="Lower control limit.")
    centre: float | None = Field(description="Centre line.")
    upper: float | None = Field(description="Upper control limit.")
    provisional: bool = Field(description="Open parts may still move it, so it raises nothing.")
    signal: str = Field(description="The rules that it breaks, or was raised for; empty: none.")
    address: str = Field(description="Where its nonconforming parts are listed.")


class ChartFigure(Context):
    """What is drawn."""

    kind: str = Field(default="control", description="Always 'control'.")
    share: bool = Field(description="Whether values are shares from 0 to 1.")
    points: list[Point] = Field(description="Oldest first.")
    left_out: int = Field(description="Older points that are not drawn, being too many.")

    @property
    def drawing(self) -> Markup:
        """As its script reads it."""
        return drawing(self.kind, self.points, share=self.share)


class Done(Context):
    """What somebody did about a signal."""

    by: str = Field(description="Who.")
    at: datetime = Field(description="When.")
    did: str = Field(description="What.")


class Raised(Context):
    """A signal that was raised; it is kept though later decisions move its point."""

    id: int = Field(description="Its number, as in `linewatch chart signals`.")
    chart: str = Field(description="Of which chart.")
    subgroup: str = Field(description="At which point.")
    rule: str = Field(description="By which rule.")
    value: float = Field(description="What the point was then.")
    lower: float = Field(description="Lower limit then.")
    upper: float = Field(description="Upper limit then.")
    raised_at: datetime = Field(description="When.")
    reactions: list[Done] = Field(description="What was done about it, oldest first.")


class ChartPage(Context):
    """A control chart of nonconforming parts."""

    products: list[str] = Field(description="Products that can be looked at.")
    lines: list[str] = Field(description="Lines that can be looked at.")
    product: str | None = Field(description="Of which product; none: there is no product yet.")
    line: str = Field(description="Of which line; empty: all.")
    defect_class: str = Field(description="Which class counts as nonconforming; empty: any.")
    by: str = Field(description="What a subgroup is.")
    n: str = Field(description="Parts of a subgroup by n.")
    since: str = Field(description="From when; empty: from the end of the baseline.")
    until: str = Field(description="Up to when.")
    kind: str = Field(description="p, laney_p or g.")
    frozen: bool = Field(description="Whether a person froze a baseline; else limits are trial.")
    figure: ChartFigure | None = Field(description="What is drawn; none: no subgroup is over.")
    rows: list[Point] = Field(description="The same as a table.")
    notes: list[str] = Field(description="What must be known of it.")
    signals: list[Raised] = Field(description="The product's newest signals, newest first.")
    problem: str | None = Field(description="Why there is no chart.")


def read(visit: Visit, asked: AskedChart) -> ChartPage:
    """The chart; what cannot be drawn is said beside the form."""
    engine = visit.site.engine
    known = products.codes(engine)
    product = asked.product or (known[0] if known else None)
    view: ChartView | None = None
    problem = None
    if product is not None:
        try:
            products.require(engine, product)
            view = _view(visit, asked, product)
        except LinewatchError as error:
            problem = str(error)
    points = _points(asked, product or "", view) if view else []
    share = view is None or view.kind is not Kind.G
    kept = signals.signals(engine, product) if product and problem is None else []
    return ChartPage(
        products=known,
        lines=[line.code for line in stations.all_lines(engine)],
        product=product,
        line=asked.line,
        defect_class=asked.class_,
        by=asked.by,
        n=asked.n,
        since=asked.since,
        until=asked.until,
        kind=str(view.kind) if view else str(Kind.P),
        frozen=view is not None and view.frozen is not None,
        figure=_figure(points, share=share) if points else None,
        rows=points,
        notes=list(view.notes) if view else [],
        signals=[_raised(one) for one in kept[:_SIGNALS]],
        problem=problem,
    )


def _view(visit: Visit, asked: AskedChart, product: str) -> ChartView:
    zone, now = visit.site.settings.timezone, datetime.now(UTC)
    since, until = asked_range(asked.since, asked.until, now, zone)
    chart = asked.chart(product)
    if since is not None:
        refuse_long_table(visit.site.engine, chart.by, since, until, of_pictures=False)
    return chart_view(visit.site.engine, chart, since, until, timezone=zone, now=now)


def _figure(points: list[Point], *, share: bool) -> ChartFigure:
    drawn = points[-_MOST_DRAWN:]
    return ChartFigure(share=share, points=drawn, left_out=len(points) - len(drawn))


def _points(asked: AskedChart, product: str, view: ChartView) -> list[Point]:
    said = {"product": product, "line": asked.line, "class": asked.class_}
    narrowed = {name: value for name, value in said.items() if value}
    behind = f"/reports/parts?{urlencode({**narrowed, 'disposition': 'nonconforming'})}"
    by = "" if view.kind is Kind.G else asked.by  # gaps between parts are of no shift and no lot
    return [_point(f"{behind}{_narrower(by, one.name)}", one) for one in view.points]


def _narrower(by: str, name: str) -> str:
    """What a subgroup's time does not say: its lot, or its day and shift, which begin on some lines
    before they do on others."""
    if by == "lot":
        return f"&{urlencode({'lot': name})}"
    day, _, shift = name.partition(" ")
    return f"&{urlencode({'first_day': day, 'shift': shift})}" if by == "shift" else ""


def _point(behind: str, one: ChartPoint) -> Point:
    codes = {rule.code for rule in one.signals} | set(one.raised)
    since, until = _quoted(one.starts), _quoted(one.ends)
    return Point(
        label=one.name,
        starts=one.starts,
        ends=one.ends,
        parts=one.parts,
        nonconforming=one.nonconforming,
        open=one.open,
        value=one.value,
        lower=one.limits.lower if one.limits else None,
        centre=one.limits.centre if one.limits else None,
        upper=one.limits.upper if one.limits else None,
        provisional=one.provisional,
        signal=" ".join(sorted(codes)),
        address=f"{behind}&since={since}&until={until}",
    )


def _quoted(at: datetime) -> str:
    """An instant as `urllib.parse.quote` has it; there may be thousands."""
    return at.isoformat().replace(":", "%3A").replace("+", "%2B")


def _raised(one: Signal) -> Raised:
    return Raised(
        id=one.id,
        chart=str(one.chart),
        subgroup=one.subgroup,
        rule=one.rule,
        value=one.value,
        lower=one.lower,
        upper=one.upper,
        raised_at=one.raised_at,
        reactions=[Done(by=r.reacted_by, at=r.reacted_at, did=r.did) for r in one.reactions],
    )


PAGE = Page(
    name="charts",
    path="/charts",
    title="Control charts",
    role=Role.VIEWER,
    query=AskedChart,
    context=ChartPage,
    read=read,
    template="charts/page.html",
    rows="rows",
    menu=35,
)
