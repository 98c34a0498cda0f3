"""How `linewatch chart` shows a chart, baselines and signals."""

from __future__ import annotations

import shutil
import sys
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

from linewatch.chart_text import chart_lines, percent, title, whole
from linewatch.commands._output import say, write_rows
from linewatch.csv_cell import Cell

if TYPE_CHECKING:
    from db.charts.baselines import FrozenBaseline
    from db.charts.points import ChartPoint
    from db.charts.signals import Signal
    from db.charts.view import ChartView

_WIDTH = 100  # where there is no terminal
POINT = (
    *("subgroup", "starts", "ends", "parts", "nonconforming", "open", "value", "lower"),
    *("centre", "upper", "provisional", "signals", "raised"),
)
BASELINE = (
    *("baseline", "product", "line", "class", "by", "kind", "rate", "sigma_z", "subgroups"),
    *("parts", "from", "to", "left_out", "rules", "arl", "frozen_by", "frozen_at", "why"),
)
SIGNAL = (
    *("signal", "product", "line", "class", "by", "kind", "subgroup", "rule", "value", "lower"),
    *("centre", "upper", "raised_at", "reactions", "did", "seen_to_by", "at"),
)


def write_chart(view: ChartView, format_: str, timezone: tzinfo) -> None:
    """A plot with its signals in words, or rows."""
    if format_ != "plot":
        rows = [point_cells(one, timezone) for one in view.points]
        write_rows(rows, format_, columns=POINT, title=title(view), empty=view.notes[0])
        for note in view.notes:
            print(note, file=sys.stderr)
        return
    for line in chart_lines(view, shutil.get_terminal_size((_WIDTH, 24)).columns):
        say(line)


def point_cells(point: ChartPoint, timezone: tzinfo) -> dict[str, Cell]:
    """A point as columns."""
    limits = point.limits
    return {
        "subgroup": point.name,
        "starts": _local(point.starts, timezone),
        "ends": _local(point.ends, timezone),
        "parts": point.parts,
        "nonconforming": point.nonconforming,
        "open": point.open,
        "value": point.value,
        "lower": limits.lower if limits else None,
        "centre": limits.centre if limits else None,
        "upper": limits.upper if limits else None,
        "provisional": point.provisional,
        "signals": " ".join(rule.code for rule in point.signals),
        "raised": " ".join(point.raised),
    }


def baseline_cells(one: FrozenBaseline, timezone: tzinfo) -> dict[str, Cell]:
    """A baseline as columns."""
    return {
        "baseline": one.id,
        **_chart_cells(one),
        "kind": str(one.baseline.kind),
        "rate": one.baseline.rate,
        "sigma_z": one.baseline.sigma_z,
        "subgroups": one.baseline.subgroups,
        "parts": one.baseline.parts,
        "from": _local(one.from_at, timezone),
        "to": _local(one.to_at, timezone),
        "left_out": ", ".join(one.left_out),
        "rules": one.rule_set,
        "arl": one.arl,
        "frozen_by": one.frozen_by,
        "frozen_at": _local(one.frozen_at, timezone) if one.frozen_at else None,
        "why": one.why,
    }


def signal_cells(one: Signal, timezone: tzinfo) -> dict[str, Cell]:
    """A signal as columns, with the last word on it."""
    last = one.reactions[-1] if one.reactions else None
    return {
        "signal": one.id,
        **_chart_cells(one),
        "kind": str(one.kind),
        "subgroup": one.subgroup,
        "rule": one.rule,
        "value": one.value,
        "lower": one.lower,
        "centre": one.centre,
        "upper": one.upper,
        "raised_at": _local(one.raised_at, timezone),
        "reactions": len(one.reactions),
        "did": last.did if last else None,
        "seen_to_by": last.reacted_by if last else None,
        "at": _local(last.reacted_at, timezone) if last else None,
    }


def frozen_lines(one: FrozenBaseline) -> list[str]:
    """What a person should know of the baseline that they froze."""
    from quality.charts.attribute_charts import Kind

    made, usual = one.baseline, one.baseline.usual_parts
    limits, gap = made.limits(usual), made.kind is Kind.G
    label = whole if gap else percent
    of = "gaps of good parts" if gap else f"subgroups of {usual} parts"
    lines = [
        f"baseline {one.id} of {one.chart}: {made.subgroups} subgroups, {made.parts} parts, "
        f"{made.rate:.2%} nonconforming",
        one.chosen,
        f"limits for {of}: {label(limits.lower)} to {label(limits.upper)}, centre "
        f"{label(limits.centre)}",
        f"rules ({one.rule_set}): {'; '.join(rule.says for rule in one.rules.rules)}",
    ]
    if one.rules.why:
        lines.append(one.rules.why)
    points = "gaps" if gap else "subgroups"
    if one.arl is None:
        lines.append("no false alarm came in the simulation of its run length")
    else:
        lines.append(f"while nothing changes, a false alarm comes every {one.arl:.0f} {points}")
    return lines


def _chart_cells(one: FrozenBaseline | Signal) -> dict[str, Cell]:
    chart = one.chart
    by = f"{chart.n} parts" if chart.by == "n" else chart.by
    return {"product": chart.product, "line": chart.line, "class": chart.class_code, "by": by}


def _local(when: datetime, timezone: tzinfo) -> str:
    return when.astimezone(timezone).isoformat(timespec="minutes")
