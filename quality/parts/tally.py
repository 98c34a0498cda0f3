"""How parts ended, and the rates that follow. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from quality.intervals.wilson import wilson_interval


@dataclass(frozen=True, slots=True)
class PartTally:
    """First passes by disposition and by who decided; what is not counted there, beside it.

    Attributes:
        conforming: parts found good.
        nonconforming: parts found bad, of whatever class.
        open: parts that nobody decided yet.
        by_model: decided parts that the model decided.
        by_person: decided parts that a person decided.
        unserialised: how many of the parts are pictures without a serial number.
        by_receipt: how many of them count when the database got them, their clock being wrong.
        reinspections: later passes, which are no parts of their own.
    """

    conforming: int = 0
    nonconforming: int = 0
    open: int = 0
    by_model: int = 0
    by_person: int = 0
    unserialised: int = 0
    by_receipt: int = 0
    reinspections: int = 0

    @property
    def parts(self) -> int:
        """First passes, whatever became of them."""
        return self.decided + self.open

    @property
    def decided(self) -> int:
        """Those that are known to be good or bad."""
        return self.conforming + self.nonconforming

    @property
    def rate(self) -> float | None:
        """The share of nonconforming parts among the decided ones; None where none is decided."""
        return _share(self.nonconforming, self.decided)

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of `rate`."""
        return wilson_interval(self.nonconforming, self.decided)

    @property
    def band(self) -> tuple[float, float] | None:
        """The share of nonconforming parts if all open ones are good, and if all are bad.

        None where there is no part; 0 to 1 where there are and none is decided.
        """
        if not self.parts:
            return None
        return self.nonconforming / self.parts, (self.nonconforming + self.open) / self.parts

    @property
    def ppm(self) -> float | None:
        """Nonconforming parts per million decided ones: 1,000,000 times `rate`."""
        return None if self.rate is None else 1e6 * self.rate

    @property
    def first_pass_yield(self) -> float | None:
        """Conforming first passes by all first passes: an open part is not yet conforming.

        It is also the lower end of what the yield will be: the open ones may all turn out bad.
        """
        return _share(self.conforming, self.parts)

    @property
    def first_pass_yield_at_best(self) -> float | None:
        """The first-pass yield if every open part turns out good."""
        return _share(self.conforming + self.open, self.parts)


def _share(count: int, of: int) -> float | None:
    return count / of if of else None
