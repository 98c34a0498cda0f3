"""What a chart's script draws, as the page carries it: the context's points, column by column.

A name once a column and not once a point, and what all addresses begin with once: a fifth of the
bytes that the points' own JSON would take in an attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from console.page import Context


class DrawnPoint(Context):
    """A point or bar of a chart.

    Its class names in `drawn` the fields that the script wants; `address` leads to its parts.
    """

    drawn: ClassVar[tuple[str, ...]]
    address: str


def drawing(kind: str, points: Sequence[DrawnPoint], *, share: bool = True) -> Markup:
    """JSON for `data-chart`; `static/charts.js` reads it.

    Args:
        kind: which chart.
        points: in order.
        share: whether values are shares from 0 to 1.
    """
    addresses = [one.address for one in points]
    begin = _common(min(addresses), max(addresses))
    columns = {name: [getattr(one, name) for one in points] for name in points[0].drawn}
    columns["address"] = [one[len(begin) :] for one in addresses]
    return htmlsafe_json_dumps(
        {"kind": kind, "share": share, "begin": begin, "columns": columns}, separators=(",", ":")
    )


def _common(first: str, last: str) -> str:
    """What two texts begin with; of the first and the last of many, what all do."""
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (a, b) in pairs if a != b), len(first))]
