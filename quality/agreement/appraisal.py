"""How the model's word compares with people's, on the same parts or pictures. Pure.

Escapes and overkill are consumer's and producer's risk; the shares below are of what was compared,
and of the line only if that is a random sample of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from quality.intervals.wilson import wilson_interval

Figure = float | int | None


@dataclass(frozen=True, slots=True)
class Appraisal:
    """What the model said of those that people found to be good, or of those they found bad.

    Attributes:
        good: what people found them to be.
        agreed: it said the same.
        other_class: it said another defect than people.
        escapes: people found a defect, and the model passed it.
        overkill: people found it good, and the model called it a defect.
        open: the model left it to people.
        unjudged: the model could not judge it at all.
    """

    good: bool
    agreed: int = 0
    other_class: int = 0
    escapes: int = 0
    overkill: int = 0
    open: int = 0
    unjudged: int = 0

    @property
    def decided(self) -> int:
        """Those that the model decided itself."""
        return self.agreed + self.other_class + self.escapes + self.overkill

    @property
    def said(self) -> int:
        """All of which people said something."""
        return self.decided + self.open + self.unjudged

    def cells(self) -> dict[str, Figure]:
        """The figures as columns.

        `agreement` is the share of `decided` on which both say the same; `escape_rate` the share of
        `decided` that the model passed, where people found a defect; `overkill_rate` the share that
        it called a defect, where people found none. `_low` and `_high` are 95 % Wilson intervals.
        """
        return {
            "said": self.said,
            "decided": self.decided,
            "agreed": self.agreed,
            "other_class": self.other_class,
            "escapes": self.escapes,
            "overkill": self.overkill,
            "open": self.open,
            "unjudged": self.unjudged,
            **self._share("agreement", self.agreed),
            **self._share("escape_rate", None if self.good else self.escapes),
            **self._share("overkill_rate", self.overkill if self.good else None),
        }

    def _share(self, name: str, hits: int | None) -> dict[str, Figure]:
        """A share of `decided` with its interval; None where there is none."""
        if hits is None or not self.decided:
            return dict.fromkeys((name, f"{name}_low", f"{name}_high"))
        low, high = wilson_interval(hits, self.decided) or (None, None)
        return {name: hits / self.decided, f"{name}_low": low, f"{name}_high": high}
