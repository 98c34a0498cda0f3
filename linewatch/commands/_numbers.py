"""Numbers that options take: none that no clock and no rule can do with."""

from __future__ import annotations

import math
from typing import Any

import click

DAY_S = 24 * 60 * 60
YEARS_S = 100 * 365 * DAY_S  # more than anybody waits, less than a clock can count
YEARS_DAYS = 100 * 365


class Number(click.FloatRange):
    """A number within two bounds, which are both said: `nan` is within any for click."""

    def __init__(self, lowest: float, highest: float, *, min_open: bool = False) -> None:
        super().__init__(lowest, highest, min_open=min_open)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """The number.

        Raises:
            click.BadParameter: it is none, or out of bounds.
        """
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number
