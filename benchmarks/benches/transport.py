"""Messages and images per second with a network that does nothing, against an empty Celery task.

Both kinds of task are served by the same worker process, in the same pool, with the same settings.
The queue is filled while the worker stands still; the clock stops at the last acknowledgement,
which Celery sends when the rows are committed. Messages are published directly, as
docs/protocol.md allows: a camera's spool is no part of this. Files are small. Every picture gets
its row, scores, features, counts and receipt.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.noop_plant import NoopPlant, noop_plants
from benchmarks.paired import interleave, median_of_pairs, spread
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say

MESSAGES = {1: 2000, 8: 800, 64: 300}  # images a message to messages: some seconds each
_EMPTY = "empty task"


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure each database, with events on and off."""
    findings = Findings({"rounds": 2 if quick else 5, "network": "none (benchmarks.noop)"})
    if workplace.no_postgresql:
        findings.skip("postgresql", workplace.no_postgresql)
    for kind in workplace.databases:
        with ExitStack() as stack:
            plant = noop_plants(workplace, stack, [kind])[kind]
            plant.drain_s(plant.messages(scaled(300), 1))
            for events in (True, False):
                say(f"{kind}, events {'on' if events else 'off'}")
                _measure(plant, kind, events, findings)
            findings.settings[f"verdicts {kind}"] = plant.check_judged()
    main = workplace.main_database
    findings.ratios = {
        "transport_to_empty_task": findings.ratios[f"transport_to_empty_task_{main}_events_on"],
        "images_per_s_at_64": findings.ratios[f"images_per_s_at_64_{main}_events_on"],
        **findings.ratios,
    }
    return findings


def _measure(plant: NoopPlant, kind: str, events: bool, findings: Findings) -> None:
    _switch_events(plant, events)
    runs: dict[str, Callable[[], float]] = {_EMPTY: partial(_empty_per_s, plant)}
    for images in MESSAGES:
        runs[str(images)] = partial(_messages_per_s, plant, images)
    rates = interleave(runs, findings.settings["rounds"])
    suffix = f"{kind}_events_{'on' if events else 'off'}"
    for name, values in rates.items():
        images = 0 if name == _EMPTY else int(name)
        row = {"database": kind, "events": events, "images_a_message": images or _EMPTY}
        row["messages_per_s"] = spread(values)
        row["images_per_s"] = images * spread(values)["median"] if images else None
        findings.rows.append(row)
    single = median_of_pairs(rates["1"], rates[_EMPTY])
    findings.ratios[f"transport_to_empty_task_{suffix}"] = single
    findings.ratios[f"images_per_s_at_64_{suffix}"] = 64 * spread(rates["64"])["median"]


def _messages_per_s(plant: NoopPlant, images: int) -> float:
    tasks = plant.messages(scaled(MESSAGES[images], least=5), images)
    return len(tasks) / plant.drain_s(tasks)


def _empty_per_s(plant: NoopPlant) -> float:
    tasks = plant.empty_tasks(scaled(MESSAGES[1], least=5))
    return len(tasks) / plant.drain_s(tasks)


def _switch_events(plant: NoopPlant, events: bool) -> None:
    """Celery's own remote control, so that one worker is measured both ways."""
    from workers.app import make_app

    control = make_app(plant.settings).control
    (control.enable_events if events else control.disable_events)()
    plant.drain_s(plant.empty_tasks(50))  # and by then it has heard
