"""Submit to committed, at 20, 60 and 90 % of the measured capacity, against one bare forward.

Arrivals are Poisson (a camera is steadier, several cameras together are not). The clock starts
before `Camera.submit` is called and stops when the receipt reaches Redis (see `receipt_watch`).
The spool's fsync, the sender, the queue, decoding, batching, both networks and the commit are
all in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from statistics import median
from typing import Any

from benchmarks.arrivals import await_receipts, submitting
from benchmarks.bare import Bare
from benchmarks.benches.pipeline import warm_plant
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.intervals import of_values, ratio_of_pairs
from benchmarks.paired import Turns, as_row, interleave, quantile
from benchmarks.plant import BenchPlant
from benchmarks.receipt_watch import ReceiptWatch
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import Workplace, say

LOADS = (0.2, 0.6, 0.9)
_SECONDS, _QUICK_SECONDS = 20.0, 8.0  # a load a round


@dataclass(frozen=True, slots=True)
class Waits:
    """One load in one round."""

    forward_ms: float  # one picture alone, just before
    waits_ms: list[float]  # of each picture, from submit to committed

    def quantile(self, share: float) -> float:
        """Of the waits, ms."""
        return quantile(self.waits_ms, share)


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """The fastest backend there is; all of them unless quick."""
    contenders = available(OPENVINO_INT8, TORCH)
    kind = workplace.main_database
    findings = Findings({"arrivals": "Poisson", "committed": "receipt in Redis", "database": kind})
    findings.settings |= {"rounds": rounds(quick), "s a load a round": _seconds(quick)}
    for contender in contenders[: 1 if quick else None]:
        _measure(workplace, contender, findings, quick=quick)
    first = contenders[0].key
    findings.ratios = {
        "p50_minus_forward_ms": findings.ratios[f"p50_minus_forward_ms_{first}"],
        "p99_to_p50": findings.ratios[f"p99_to_p50_{first}"],
        **findings.ratios,
    }
    return findings


def _seconds(quick: bool) -> float:
    return _QUICK_SECONDS if quick else _SECONDS


def _measure(
    workplace: Workplace, contender: Contender, findings: Findings, *, quick: bool
) -> None:
    with ExitStack() as stack:
        bare, plant, paths = warm_plant(workplace, contender, stack)
        capacity = plant.images_per_s(paths)
        say(f"{contender.name}: {capacity:.1f} images/s at most; {rounds(quick)} rounds")
        at = partial(_at, plant, bare, workplace)
        runs = {str(load): partial(at, load * capacity, _seconds(quick)) for load in LOADS}
        turns = interleave(runs, rounds(quick), again=again(quick))
        findings.settings[f"verdicts {contender.name}"] = plant.check_judged()
    findings.keep(contender.name, turns)
    about = {"backend": contender.name, "capacity_per_s": capacity}
    findings.rows += [about | _row(load, load * capacity, turns[str(load)]) for load in LOADS]
    findings.ratios |= _ratios(contender.key, turns)


def _row(load: float, rate: float, found: Sequence[Waits]) -> dict[str, float]:
    """All rounds together."""
    waits = [wait for each in found for wait in each.waits_ms]
    shares = {f"p{round(100 * share)}_ms": quantile(waits, share) for share in (0.5, 0.95, 0.99)}
    forward_ms = median(each.forward_ms for each in found)
    return {"forward_ms": forward_ms, "load": load, "images_per_s": rate} | {
        "images": len(waits),
        **shares,
    }


def _ratios(key: str, turns: Turns[Waits]) -> dict[str, dict[str, Any]]:
    """The figures of each round by itself, and how they scatter."""
    at_20, at_60 = turns[str(LOADS[0])], turns[str(LOADS[1])]
    above = of_values([each.quantile(0.5) - each.forward_ms for each in at_20])
    p99, p50 = ([each.quantile(share) for each in at_60] for share in (0.99, 0.5))
    return {
        f"p50_minus_forward_ms_{key}": as_row(above, turns),
        f"p99_to_p50_{key}": as_row(ratio_of_pairs(p99, p50), turns),
    }


def _at(plant: BenchPlant, bare: Bare, workplace: Workplace, rate: float, seconds: float) -> Waits:
    files = cycle(picture.path for picture in workplace.pictures)
    first = [workplace.pictures[0].path]
    forward_ms = 1000 * median(bare.forward_s(first, 1, scaled(10)))
    with ReceiptWatch(plant.settings.redis_client_url) as watch:
        submitted = dict(submitting(plant, files, rate, scaled(round(rate * seconds), least=5)))
        return Waits(forward_ms, await_receipts(plant, watch, submitted))
