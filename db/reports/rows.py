"""The rows that reports about pictures give, and the arithmetic in them. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from quality.intervals.wilson import wilson_interval

Group = dict[str, str]  # what a row is about: {"line": "L1", "shift": "early"}
Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class PictureRate:
    """How pictures ended. Every one is in exactly one of the five counts."""

    group: Group
    passed: int = 0
    defects: int = 0
    review: int = 0
    rejected: int = 0
    dead_letter: int = 0

    @property
    def inspected(self) -> int:
        """Judged: passed, defect or review."""
        return self.passed + self.defects + self.review

    @property
    def defect_rate(self) -> float | None:
        """Defects among the pictures with a verdict; those a person should see are in neither."""
        decided = self.passed + self.defects
        return self.defects / decided if decided else None

    @property
    def review_rate(self) -> float | None:
        """The share of judged pictures that went to a person."""
        return self.review / self.inspected if self.inspected else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % Wilson interval of the defect rate."""
        return wilson_interval(self.defects, self.passed + self.defects)

    @property
    def defect_rate_low(self) -> float | None:
        """The interval's lower end."""
        return self.interval[0] if self.interval else None

    @property
    def defect_rate_high(self) -> float | None:
        """The interval's upper end."""
        return self.interval[1] if self.interval else None

    def cells(self) -> dict[str, Cell]:
        """The row as columns, for a table, CSV or JSON."""
        return {
            **self.group,
            "inspected": self.inspected,
            "passed": self.passed,
            "defects": self.defects,
            "review": self.review,
            "rejected": self.rejected,
            "dead_letter": self.dead_letter,
            "defect_rate": self.defect_rate,
            "defect_rate_low": self.defect_rate_low,
            "defect_rate_high": self.defect_rate_high,
            "review_rate": self.review_rate,
        }


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class's cross-validated figures under the champion; None where it was not tested."""

    product: str
    model_version: str
    class_code: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    scored: bool

    def cells(self) -> dict[str, Cell]:
        """The row as columns."""
        return {
            "product": self.product,
            "model_version": self.model_version,
            "class": self.class_code,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "support": self.support,
            "scored": self.scored,
        }


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What a model version judged; '' is the time before a product had a model."""

    product: str
    model_version: str
    encoders: str
    fingerprint: str
    champion: bool
    rate: PictureRate
    first_hour: datetime
    last_hour: datetime
    promise: str | None = None

    @classmethod
    def blank(cls) -> ModelRow:
        """Of no version."""
        never = datetime.min.replace(tzinfo=UTC)
        return cls("", "", "", "", False, PictureRate({}), never, never)

    def cells(self) -> dict[str, Cell]:
        """The row as columns."""
        return {
            "product": self.product,
            "model_version": self.model_version,
            "champion": self.champion,
            "promise": self.promise,
            "inspected": self.rate.inspected,
            "passed": self.rate.passed,
            "defects": self.rate.defects,
            "review": self.rate.review,
            "first_hour": self.first_hour.isoformat(timespec="minutes"),
            "last_hour": self.last_hour.isoformat(timespec="minutes"),
            "encoders": self.encoders,
            "fingerprint": self.fingerprint,
        }
