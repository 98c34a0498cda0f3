"""docs/benchmarks.md, made from benchmarks/results: `python -m benchmarks.table [--check]`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.cells import flat, grid, is_estimate, measured
from benchmarks.disturbance import MOST_FOREIGN, MOST_STEAL
from benchmarks.report import RESULTS
from benchmarks.suite import BENCHES
from benchmarks.targets import TARGETS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_MOST_ROWS = 40
_APART = ("conditions",)  # of the settings: shown in a table of their own
_ELSEWHERE = {"faults": "promise.md"}  # results that another page shows
_INTRODUCTION = """# Benchmarks

Made from `benchmarks/results/*.json` by `python -m benchmarks.table`; do not edit. `make bench`
measures everything again, in nine rounds, `linewatch bench NAME --quick` one thing within five
minutes, in five shorter ones. Contenders of one table took turns in one run, on the same files,
encoders and device. Full-size encoders have seeded weights: the arithmetic of the real ones, so
their speed, and nothing of their judgement.

A figure is the median over rounds, each contender beside its neighbour of the same round, with the
95 % interval [low, high] of the mean log ratio (Student's; of a difference, of the mean). An aim is
met only where the whole interval is, and not met where none of it is. Where an aim lies close to
what a noisy round shows, rounds go on until the interval is narrow, wherever it lies. A round in
which more than {steal:.0%} of the processors' time went to other virtual machines, or more than
{foreign:.0%} to processes that are not the benchmark's, is thrown out and run again. Results
without an interval are of before, mostly of two rounds: nothing is called met for them until they
are measured again.
"""


@click.command()
@click.option("--check", is_flag=True, help="Change nothing; fail if the page is not current.")
def main(check: bool) -> None:
    """Write docs/benchmarks.md."""
    text = page()
    if not check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        raise click.ClickException(f"{PAGE.name} is not current: run `python -m benchmarks.table`")


def page(results: Path = RESULTS) -> str:
    """The whole page, from the result files there are."""
    found = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(results.glob("*.json"))
        if path.stem not in _ELSEWHERE
    ]
    order = list(BENCHES)
    found.sort(key=lambda r: (order.index(r["name"]) if r["name"] in order else 99, r["name"]))
    told = _INTRODUCTION.format(steal=MOST_STEAL, foreign=MOST_FOREIGN)
    parts = [told, "## What was aimed at\n", _targets(found)]
    return "\n".join([*parts, *(_section(result) for result in found)])


def result_as_text(result: Mapping[str, Any]) -> str:
    """One result for a terminal: its ratios against their targets, then its rows."""
    rows = [flat(row) for row in result["rows"]]
    skipped = [f"skipped {k}: {v}" for k, v in result["settings"].get("skipped", {}).items()]
    return "\n".join([_ratio_table([result]), "", grid(rows), *skipped])


def _targets(results: Iterable[Mapping[str, Any]]) -> str:
    found = {name: (r, v) for r in results for name, v in r["ratios"].items()}
    rows = []
    for name, target in TARGETS.items():
        row: dict[str, Any] = {"ratio": f"`{name}`", "what": target.meaning, "aim": str(target)}
        if name in found:
            result, value = found[name]
            verdict = target.verdict(value)
            said = verdict if verdict == "met" else f"**{verdict}**"
            row |= {**measured(value), "": said, "how": _how(result)}
        else:
            row |= {"measured": "not yet", "rounds": "", "thrown out": "", "": "", "how": ""}
        rows.append(row)
    return grid(rows) + "\n"


def _how(result: Mapping[str, Any]) -> str:
    quick = " (quick)" if result["settings"].get("quick") else ""
    return f"{result['name']}{quick}, `{result['commit']}`"


def _section(result: Mapping[str, Any]) -> str:
    name, rows = result["name"], [flat(row) for row in result["rows"]]
    when = f"{result['when'][:16].replace('T', ' ')} UTC, commit `{result['commit']}`"
    about = f"Measured {when}, {_machine(result['machine'])}."
    settings = flat({k: v for k, v in result["settings"].items() if k not in _APART})
    listed = "\n".join(f"- {key}: {value}" for key, value in settings.items() if value != "")
    more = len(rows) - _MOST_ROWS
    rest = f"and {more} rows more in `benchmarks/results/{name}.json`" if more > 0 else ""
    parts = [
        f"## {name}",
        _method(name),
        about,
        listed,
        _ratio_table([result]),
        grid(rows[:_MOST_ROWS]),
        rest,
        _conditions(result),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _conditions(result: Mapping[str, Any]) -> str:
    """What else the machine did in each round."""
    rows = result["settings"].get("conditions", [])
    return f"The machine, round by round:\n\n{grid(rows)}" if rows else ""


def _method(name: str) -> str:
    """What the benchmark's own file says of how it measures; read, not imported."""
    source = Path(__file__).parent / "benches" / f"{name}.py"
    if not source.exists():
        return ""
    return ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""


def _ratio_table(results: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for result in results:
        for name, value in result["ratios"].items():
            if is_estimate(value):
                cells = measured(value)
                rows.append({"ratio": name, "value": cells.pop("measured"), **cells})
                rows[-1] |= {"aim": str(TARGETS[name])} if name in TARGETS else {}
                continue
            pairs = flat({name: value}) if isinstance(value, Mapping) else {name: value}
            rows += [{"ratio": key, "value": item} for key, item in pairs.items()]
            if name in TARGETS:
                rows[-1]["aim"] = str(TARGETS[name])
    return grid(rows)


def _machine(machine: Any) -> str:
    if isinstance(machine, Mapping):
        return f"{machine['description']}, Python {machine['python']}"
    return str(machine)


if __name__ == "__main__":
    main()
