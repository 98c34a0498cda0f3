"""Messages and images per second with a network that does nothing, against an empty Celery task.

Empty tasks are served twice: by Celery as released (`benchmarks.stock`), in the same kind of pool
and with the same settings, and by the very worker that inspects, which adds checks to Celery and
takes out what is slow in it. The ratio is to the former, what a message costs anybody. The queue is
filled while the worker stands still; the clock stops at the last acknowledgement,
which Celery sends when the rows are committed. Messages are published directly, as
docs/protocol.md allows: a camera's spool is no part of this. Files are small. Every picture gets
its row, scores, features, counts and receipt.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.noop_plant import NoopPlant, noop_plants
from benchmarks.paired import Turns, interleave, rate, ratio, spread
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import Workplace, say

MESSAGES = {1: 2000, 8: 800, 64: 300}  # images a message to messages: some seconds each
_QUICK_SHARE = 0.4  # of these, a round
_EMPTY, _EMPTY_HERE = "empty task, Celery as released", "empty task, this worker"


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure each database, with events on and off."""
    findings = Findings({"rounds": rounds(quick), "network": "none (benchmarks.noop)"})
    if workplace.no_postgresql:
        findings.skip("postgresql", workplace.no_postgresql)
    for kind in workplace.databases:
        with ExitStack() as stack:
            plant = noop_plants(workplace, stack, [kind])[kind]
            stock = noop_plants(workplace, stack, [kind], "benchmarks.stock")[kind]
            plant.drain_s(plant.messages(scaled(300), 1))
            stock.drain_s(stock.empty_tasks(scaled(300)))
            for events in (True, False):
                say(f"{kind}, events {'on' if events else 'off'}")
                _measure(plant, stock, kind, events, findings, quick=quick)
            findings.settings[f"verdicts {kind}"] = plant.check_judged()
    main = workplace.main_database
    findings.ratios = {
        "transport_to_empty_task": findings.ratios[f"transport_to_empty_task_{main}_events_on"],
        "images_per_s_at_64": findings.ratios[f"images_per_s_at_64_{main}_events_on"],
        **findings.ratios,
    }
    return findings


def _measure(
    plant: NoopPlant,
    stock: NoopPlant,
    kind: str,
    events: bool,
    findings: Findings,
    *,
    quick: bool,
) -> None:
    share = _QUICK_SHARE if quick else 1.0
    runs: dict[str, Callable[[], float]] = {}
    for name, each in ((_EMPTY, stock), (_EMPTY_HERE, plant)):
        _switch_events(each, events)
        runs[name] = partial(_empty_per_s, each, share)
    for images in MESSAGES:
        runs[str(images)] = partial(_messages_per_s, plant, images, share)
    rates = interleave(runs, rounds(quick), again=again(quick))
    findings.keep(f"{kind}, events {'on' if events else 'off'}", rates)
    suffix = f"{kind}_events_{'on' if events else 'off'}"
    for name, values in rates.results.items():
        images = int(name) if name.isdecimal() else 0
        row = {"database": kind, "events": events, "images_a_message": images or name}
        row["messages_per_s"] = spread(values)
        row["images_per_s"] = images * spread(values)["median"] if images else None
        findings.rows.append(row)
    findings.ratios[f"transport_to_empty_task_{suffix}"] = ratio(rates, "1", _EMPTY)
    findings.ratios[f"transport_to_empty_task_here_{suffix}"] = ratio(rates, "1", _EMPTY_HERE)
    pictures = Turns({"64": [64 * value for value in rates["64"]]}, rates.conditions)
    findings.ratios[f"images_per_s_at_64_{suffix}"] = rate(pictures, "64")


def _messages_per_s(plant: NoopPlant, images: int, share: float) -> float:
    tasks = plant.messages(scaled(round(share * MESSAGES[images]), least=5), images)
    return len(tasks) / plant.drain_s(tasks)


def _empty_per_s(plant: NoopPlant, share: float) -> float:
    tasks = plant.empty_tasks(scaled(round(share * MESSAGES[1]), least=5))
    return len(tasks) / plant.drain_s(tasks)


def _switch_events(plant: NoopPlant, events: bool) -> None:
    """Celery's own remote control, so that one worker is measured both ways."""
    from workers.app import make_app

    control = make_app(plant.settings).control
    (control.enable_events if events else control.disable_events)()
    plant.drain_s(plant.empty_tasks(50))  # and by then it has heard
