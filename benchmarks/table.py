"""docs/benchmarks.md, made from benchmarks/results: `python -m benchmarks.table [--check]`."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from benchmarks.report import RESULTS
from benchmarks.suite import BENCHES
from benchmarks.targets import TARGETS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.md"
_LONGEST_CELL = 90
_MOST_ROWS = 40
_INTRODUCTION = """# Benchmarks

Made from `benchmarks/results/*.json` by `python -m benchmarks.table`; do not edit. `make bench`
measures everything again, `linewatch bench NAME --quick` one thing within five minutes. Contenders
of one table took turns in one run, on the same files, encoders and device; a ratio is the median
of each round's. Full-size encoders have seeded weights: the arithmetic of the real ones, so their
speed, and nothing of their judgement.
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
        json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.json"))
    ]
    order = list(BENCHES)
    found.sort(key=lambda r: (order.index(r["name"]) if r["name"] in order else 99, r["name"]))
    parts = [_INTRODUCTION, "## What was aimed at\n", _targets(found)]
    return "\n".join([*parts, *(_section(result) for result in found)])


def result_as_text(result: Mapping[str, Any]) -> str:
    """One result for a terminal: its ratios against their targets, then its rows."""
    rows = [_flat(row) for row in result["rows"]]
    skipped = [f"skipped {k}: {v}" for k, v in result["settings"].get("skipped", {}).items()]
    return "\n".join([_ratio_table([result]), "", _grid(rows), *skipped])


def _targets(results: Iterable[Mapping[str, Any]]) -> str:
    measured = {name: (r, v) for r in results for name, v in r["ratios"].items()}
    rows = []
    for name, target in TARGETS.items():
        row: dict[str, Any] = {"ratio": f"`{name}`", "what": target.meaning, "aim": str(target)}
        if name in measured:
            result, value = measured[name]
            met = "met" if target.met(value) else "**not met**"
            row |= {"measured": value, "": met, "how": _how(result)}
        else:
            row |= {"measured": "not yet", "": "", "how": ""}
        rows.append(row)
    return _grid(rows) + "\n"


def _how(result: Mapping[str, Any]) -> str:
    quick = " (quick)" if result["settings"].get("quick") else ""
    return f"{result['name']}{quick}, `{result['commit']}`"


def _section(result: Mapping[str, Any]) -> str:
    name, rows = result["name"], [_flat(row) for row in result["rows"]]
    when = f"{result['when'][:16].replace('T', ' ')} UTC, commit `{result['commit']}`"
    about = f"Measured {when}, {_machine(result['machine'])}."
    settings = _flat(result["settings"])
    listed = "\n".join(f"- {key}: {value}" for key, value in settings.items() if value != "")
    more = len(rows) - _MOST_ROWS
    rest = f"and {more} rows more in `benchmarks/results/{name}.json`" if more > 0 else ""
    parts = [
        f"## {name}",
        _method(name),
        about,
        listed,
        _ratio_table([result]),
        _grid(rows[:_MOST_ROWS]),
        rest,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


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
            flat = _flat({name: value}) if isinstance(value, Mapping) else {name: value}
            rows += [{"ratio": key, "value": item} for key, item in flat.items()]
            if name in TARGETS:
                rows[-1]["aim"] = str(TARGETS[name])
    return _grid(rows)


def _machine(machine: Any) -> str:
    if isinstance(machine, Mapping):
        return f"{machine['description']}, Python {machine['python']}"
    return str(machine)


def _flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested names joined by a blank: {"images_per_s": {"median": 3}} → "images_per_s median"."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key} ")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _grid(rows: Sequence[Mapping[str, Any]]) -> str:
    """A Markdown table with every column that any row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[_cell(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if rows else ""


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    text = "" if value is None else str(value).replace("|", "\\|").replace("\n", " ")
    return text if len(text) <= _LONGEST_CELL or "`" in text else f"{text[:_LONGEST_CELL]}…"


if __name__ == "__main__":
    main()
