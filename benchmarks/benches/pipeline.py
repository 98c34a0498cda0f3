"""Images per second through the whole system, against the bare loop.

Through the system: file, spool, Redis, Celery, worker, database, receipt. The load comes from a
real `Camera`; the queue is filled while the worker stands still. Both sides are timed from their
first file to their last verdict, so both pay for filling and emptying their own pipelines. They
work in slices of some seconds, each side frozen while another goes on, so that all have the same of
a machine whose speed changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks.bare import Bare
from benchmarks.contender import OPENVINO, OPENVINO_INT8, TORCH, Contender
from benchmarks.intervals import worst
from benchmarks.jpegs import repeated
from benchmarks.paired import in_rounds, narrow, ratio, spread
from benchmarks.plant import BenchPlant
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.slices import seconds_in_slices
from benchmarks.workplace import Workplace, say

_RUN_S = 10.0  # of a turn
_QUICK_RUN_S = 5.0
_LONGER = 2  # here: beside 20 s, filling and emptying the pipelines is little
_SLICE_S = 2.0
# The aim is 5 % from even, and a single round may be off by 10 %: on a machine that is not even,
# nine rounds cannot tell them apart. So it goes on, for a while.
_REACH = 0.02  # of an interval
_TIMES_THE_ROUNDS = 2  # at most


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure each backend on each database."""
    findings = Findings({"pictures": "1024² JPEG", "load": "Camera.submit, queue filled before"})
    for contender in (TORCH, OPENVINO_INT8) if quick else (TORCH, OPENVINO, OPENVINO_INT8):
        reason = contender.missing()
        if reason is None:
            kinds = workplace.databases
            if quick and contender is TORCH:  # its networks take so long that no database shows
                kinds = kinds[:1]
            _measure(workplace, contender, findings, kinds, quick=quick)
        else:
            findings.skip(contender.name, reason)
    if workplace.no_postgresql:
        findings.skip("postgresql", workplace.no_postgresql)
    findings.ratios = {"pipeline_to_bare": worst(findings.ratios.values()), **findings.ratios}
    return findings


def _measure(
    workplace: Workplace,
    contender: Contender,
    findings: Findings,
    kinds: list[str],
    *,
    quick: bool,
) -> None:
    say(f"{contender.name}: loading")
    settings = workplace.settings(f"bare-{contender.key}", "")
    with ExitStack() as stack:
        bare = stack.enter_context(workplace.bare(contender, settings))
        plants = fitted_plants(workplace, contender, bare, stack, kinds)
        batch = settings.max_batch
        paths = files_for_a_run(workplace, bare, batch, _LONGER * run_s(quick))
        for plant in plants.values():
            plant.images_per_s(paths[: 2 * batch])  # the first pictures cost more; not timed
        say(f"{contender.name}: at least {rounds(quick)} rounds of {len(paths)} images")
        works = {"bare loop": partial(bare.sliced, paths, batch)}
        works |= {kind: partial(plant.sliced, paths) for kind, plant in plants.items()}

        def judge(names: Sequence[str]) -> dict[str, float]:
            took = seconds_in_slices({name: works[name]() for name in names}, _SLICE_S)
            return {name: len(paths) / seconds for name, seconds in took.items()}

        rates = in_rounds(
            list(works),
            judge,
            rounds(quick),
            again=again(quick),
            until=narrow(list(plants), "bare loop", _REACH),
            at_most=rounds(quick) * (1 if quick else _TIMES_THE_ROUNDS),
        )
        findings.keep(contender.name, rates)
        findings.settings |= {
            "batch": batch,
            "rounds at least": rounds(quick),
            "slices, s": _SLICE_S,
            f"bare {contender.name}": bare.about,
        }
        for name, values in rates.results.items():
            row = {"backend": contender.name, "way": name, "images": len(paths)}
            findings.rows.append({**row, "images_per_s": spread(values)})
        for kind, plant in plants.items():
            name = f"pipeline_to_bare_{contender.key}_{kind}"
            findings.ratios[name] = ratio(rates, kind, "bare loop")
            findings.settings[f"verdicts {contender.name} {kind}"] = plant.check_judged()


def run_s(quick: bool) -> float:
    """How long a contender's turn is to take, in s."""
    return _QUICK_RUN_S if quick else _RUN_S


def files_for_a_run(
    workplace: Workplace, bare: Bare, batch: int, seconds: float = _RUN_S
) -> list[Path]:
    """As many files as the bare loop judges in that time, in whole batches; it is warm then."""
    some = repeated(workplace.pictures, scaled(2 * batch))
    bare.images_per_s(some, batch)
    batches = seconds * bare.images_per_s(some, batch) / batch
    return repeated(workplace.pictures, scaled(batch * max(1, round(batches))))


def warm_plant(
    workplace: Workplace, contender: Contender, stack: ExitStack, seconds: float = _RUN_S
) -> tuple[Bare, BenchPlant, list[Path]]:
    """The bare loop, a plant on the main database with its model, and files for a run; all warm."""
    settings = workplace.settings(f"bare-{contender.key}", "")
    bare = stack.enter_context(workplace.bare(contender, settings))
    kind = workplace.main_database
    plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
    paths = files_for_a_run(workplace, bare, settings.max_batch, seconds)
    plant.images_per_s(paths[: max(2, len(paths) // 4)])
    return bare, plant, paths


def fitted_plants(
    workplace: Workplace,
    contender: Contender,
    bare: Bare,
    stack: ExitStack,
    kinds: list[str] | None = None,
) -> dict[str, BenchPlant]:
    """A plant for each kind of database, whose workers judge with one fitted model."""
    version = bare.fit(workplace.pictures, "cable")
    plants: dict[str, BenchPlant] = {}
    for kind in workplace.databases if kinds is None else kinds:
        name = f"{contender.key}-{kind}"
        settings = workplace.settings(name, workplace.database_url(kind))
        plant = stack.enter_context(BenchPlant(settings, contender))
        plant.deploy(version)
        plant.start(wait=False)
        plants[kind] = plant
    for plant in plants.values():
        plant.await_ready()
    return plants
