"""Parts that somebody planted: what was said of them, and what they therefore are."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from db.inspections.records import InspectionRecord
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel
from producer.contract import Reason, Verdict
from tests.support.planted.clock import BACK_AT, DAY_0, HOUR, instant
from tests.support.records import a_record

DAYS = 7
LINES = ("L1", "L1", "L2", "L3")
PLUG, CABLE, CAP, GHOST = "plug", "cable", "cap", "ghost"
GAP_S = 600
NOW = datetime.now(UTC)
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Truth:
    """What a part is in one pass. `made_at` None: when the database gets picture `first`.

    `said` is its disposition in words: 'good by model', 'bad bent+burnt by person', 'open review';
    `model` the same as if people had said nothing.
    """

    first: UUID
    made_at: datetime | None
    product: str
    serial: str
    scope: str
    number: int
    line: str
    lot: str
    work_order: str
    model_version: str
    views: int
    said: str
    model: str

    @property
    def disposition(self) -> str:
        """As reports call it."""
        return {"good": "conforming", "bad": "nonconforming"}.get(self.said.split()[0], "open")

    @property
    def model_disposition(self) -> str:
        """The same of the model."""
        return replace(self, said=self.model).disposition

    @property
    def classes(self) -> str:
        """Those of a bad part."""
        return self.said.split()[1] if self.said.startswith("bad") else ""

    @property
    def decided_by(self) -> str:
        """Model, person or nobody."""
        return self.said.split()[-1] if " by " in self.said else ""

    @property
    def why(self) -> str:
        """Why it is open."""
        return self.said.split()[1] if self.said.startswith("open") else ""


@dataclass(frozen=True)
class Item:
    """What the pictures of a part have in common."""

    at: datetime
    serial: str | None
    product: str = PLUG
    line: str = "L1"
    lot: str | None = None
    work_order: str | None = None
    version: str = "m-1"


@dataclass
class Week:
    """Everything that happens, and the truth; of one seed always the same.

    Attributes:
        pictures: that come at once.
        late: that a spool held until the end.
        again: second verdicts of dead letters.
        before, after: decisions before the pictures are there, and after a purge.
    """

    seed: int
    rng: random.Random = field(init=False)
    pictures: list[InspectionRecord] = field(default_factory=list)
    late: list[InspectionRecord] = field(default_factory=list)
    again: list[InspectionRecord] = field(default_factory=list)
    labels: list[NewLabel] = field(default_factory=list)
    before: list[NewDecision] = field(default_factory=list)
    decisions: list[NewDecision] = field(default_factory=list)
    after: list[NewDecision] = field(default_factory=list)
    truth: list[Truth] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._serials = 0

    def item(self, **fields: Any) -> Item:
        """A new serial number, at some time of the week on some line."""
        self._serials += 1
        usual: dict[str, Any] = {
            "at": self._time(),
            "serial": f"S{self._serials}",
            "line": self.rng.choice(LINES),
            "lot": self.rng.choice(["A", "B", "C", None]),
            "work_order": self.rng.choice(["W-1", "W-2", None]),
            "version": self.rng.choice(["m-1", "m-2"]),
        }
        return Item(**{**usual, **fields})

    def _time(self) -> datetime:
        """Any, but often about the beginning of a shift and in the hour that comes twice."""
        rng, day = self.rng, timedelta(days=self.rng.randrange(DAYS))
        near = timedelta(seconds=rng.randrange(-600, 600))
        if rng.random() < 0.15:
            return BACK_AT + rng.uniform(-1, 1) * HOUR
        if rng.random() < 0.3:
            shown = DAY_0.replace(tzinfo=None) + day
            hour = rng.choice([5, 13, 21, 7, 15]) * HOUR
            return instant(shown + hour + 50 * _MINUTE) + near
        return DAY_0 + day + timedelta(seconds=rng.randrange(86400))

    def shot(
        self,
        item: Item,
        seconds: float = 0,
        saw: str = "pass",
        *,
        late: bool = False,
        **fields: Any,
    ) -> InspectionRecord:
        """A picture of the item, so long after its first; `saw` is a verdict or a defect class."""
        verdict = Verdict.DEFECT if saw in ("bent", "burnt") else Verdict(saw)
        at = item.at + timedelta(seconds=seconds)
        judged = verdict not in (Verdict.REJECTED, Verdict.DEAD_LETTER)
        usual: dict[str, Any] = {
            "id": UUID(int=self.rng.getrandbits(128), version=4),
            "product": item.product,
            "part": item.serial,
            "line": item.line,
            "lot": item.lot,
            "work_order": item.work_order,
            "camera": "top",
            "verdict": verdict,
            "defect_class": saw if verdict is Verdict.DEFECT else "ok" if saw == "pass" else None,
            "model_version": item.version if judged else None,
            "reason": None if judged or verdict is Verdict.DEAD_LETTER else Reason.UNREADABLE,
            "captured_at": at,
            "enqueued_at": at + timedelta(seconds=0.5),
            "decided_at": NOW if late else at + timedelta(seconds=self.rng.randint(1, 9)),
            "probabilities": None,
        }
        record = a_record(**{**usual, **fields})
        (self.late if late else self.pictures).append(record)
        return record

    def is_(
        self, item: Item, first: InspectionRecord, said: str, model: str = "", **fields: Any
    ) -> None:
        """What a pass of the item truly is."""
        usual: dict[str, Any] = {
            "first": first.id,
            "made_at": first.captured_at,
            "product": item.product,
            "serial": item.serial or "",
            "scope": "" if item.serial else str(first.id),
            "number": 1,
            "line": item.line,
            "lot": item.lot or "",
            "work_order": item.work_order or "",
            "model_version": item.version,
            "views": 1,
            "said": said,
            "model": model or said,
        }
        self.truth.append(Truth(**{**usual, **fields}))

    def label(self, record: InspectionRecord, label: str, minutes: float = 60) -> None:
        """A person says what a picture shows, so long after it was taken."""
        at = record.decided_at + minutes * _MINUTE
        self.labels.append(NewLabel(record.id, label, "ann", labelled_at=at))

    def decision(
        self,
        item: Item,
        label: str,
        minutes: float = 90,
        number: int | None = None,
        by: str = "bob",
    ) -> NewDecision:
        """What a person says of the part, so long after its first picture."""
        at = item.at + minutes * _MINUTE
        assert item.serial is not None
        return NewDecision(item.product, item.serial, label, by, decided_at=at, pass_number=number)
