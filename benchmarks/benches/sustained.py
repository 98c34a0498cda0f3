"""The rate that Poisson arrivals sustain for ten minutes, and how long pictures wait at 90 % of it.

A rate is sustained where at no moment of the ten minutes more pictures are under way than come in
five seconds. Rates are tried from above what a filled queue gives, downwards in steps of 5 %; one
that is too high is given up as soon as that is seen. Then ten minutes at 90 % of the highest that
was sustained, a round a minute, without a pause between them: a minute that was disturbed counts
for the queue that it leaves, and not for its own waits. The clock of a picture runs from
`Camera.submit` to its receipt in Redis, as in `latency`.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks.arrivals import await_receipts, submitting
from benchmarks.benches.pipeline import warm_plant
from benchmarks.contender import OPENVINO_INT8, TORCH, available
from benchmarks.intervals import of_values
from benchmarks.paired import as_row, interleave, quantile
from benchmarks.plant import BenchPlant
from benchmarks.receipt_watch import ReceiptWatch
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ServiceError

MINUTE_S, QUICK_MINUTE_S = 60.0, 12.0
MINUTES = 10
SHARES = tuple(round(1.05 - 0.05 * step, 2) for step in range(9))  # of a filled queue's rate
OF_SUSTAINED = 0.9
BACKLOG_S = 5.0


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """The fastest backend there is."""
    contender = available(OPENVINO_INT8, TORCH)[0]
    kind = workplace.main_database
    minute_s = QUICK_MINUTE_S if quick else MINUTE_S
    findings = Findings({"arrivals": "Poisson", "backend": contender.name, "database": kind})
    findings.settings |= {"minutes": scaled(MINUTES), "s a minute": minute_s}
    with ExitStack() as stack:
        _, plant, paths = warm_plant(workplace, contender, stack)
        filled = median(plant.images_per_s(paths) for _ in range(3))
        line = Line(plant, [picture.path for picture in workplace.pictures], minute_s)
        sustained = _highest(line, filled, findings)
        _at_ninety(line, OF_SUSTAINED * sustained, findings)
        findings.settings["verdicts"] = plant.check_judged()
    findings.ratios["sustained_to_filled"] = sustained / filled
    return findings


class Line:
    """A plant whose pictures come at random.

    Args:
        plant: its worker is ready.
        files: what is submitted, over and over.
        minute_s: how long one of the ten minutes is, in seconds.
    """

    def __init__(self, plant: BenchPlant, files: list[Path], minute_s: float) -> None:
        self.plant, self._files, self._minute_s = plant, cycle(files), minute_s

    def minute(self, rate: float) -> dict[UUID, float]:
        """A minute's arrivals; when each was submitted."""
        number = scaled(round(rate * self._minute_s))
        return dict(submitting(self.plant, self._files, rate, number))

    def most_under_way(self, rate: float) -> int:
        """Of ten minutes, or until it was more than the backlog that is allowed."""
        number = scaled(round(rate * self._minute_s * MINUTES))
        submitted: dict[UUID, float] = {}
        most = 0
        with ReceiptWatch(self.plant.settings.redis_client_url) as watch:
            for id_, at in submitting(self.plant, self._files, rate, number):
                submitted[id_] = at
                most = max(most, len(submitted) - len(watch.committed))
                if most > BACKLOG_S * rate:
                    break
            await_receipts(self.plant, watch, submitted)
        return most


def _highest(line: Line, filled: float, findings: Findings) -> float:
    """The highest rate that is sustained, in pictures/s."""
    for share in SHARES:
        rate = share * filled
        most = line.most_under_way(rate)
        sustained = most <= BACKLOG_S * rate
        say(f"{rate:.1f} images/s: {'sustained' if sustained else 'too many'}, {most} under way")
        findings.rows.append(
            {"of_filled": share, "images_per_s": rate, "most_under_way": most}
            | {"sustained": sustained}
        )
        if sustained:
            return rate
    raise ServiceError(f"not even {SHARES[-1]:.0%} of {filled:.1f} images/s is sustained")


def _at_ninety(line: Line, rate: float, findings: Findings) -> None:
    minutes = scaled(MINUTES)
    with ReceiptWatch(line.plant.settings.redis_client_url) as watch:
        turns = interleave({"minute": partial(line.minute, rate)}, minutes, again=minutes)
        waits = [await_receipts(line.plant, watch, submitted) for submitted in turns["minute"]]
    findings.keep("at 90 %", turns)
    together = [wait for minute in waits for wait in minute]
    shares = {f"p{round(100 * share)}_ms": quantile(together, share) for share in (0.5, 0.95, 0.99)}
    findings.rows.append(
        {"of_sustained": OF_SUSTAINED, "images_per_s": rate, "images": len(together)} | shares
    )
    for share in (0.5, 0.99):
        figures = of_values([quantile(minute, share) for minute in waits])
        findings.ratios[f"p{round(100 * share)}_at_90_ms"] = as_row(figures, turns)
