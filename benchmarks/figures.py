"""Figures in README and docs, and the result files they come from.

A figure that was measured is followed by a comment that no reader of the page sees:

    int8 made 5.0 times<!-- = backends /ratios/openvino_int8_to_torch --> torch's images/s

It names a file of `benchmarks/results` and a JSON pointer in it (RFC 6901); a step `[key=value;…]`
picks the one row of a list that has these values, and ` * 100` converts the unit. The figure is the
last number before the comment, and must be the value rounded to the digits that are shown; of an
estimate over rounds that is its median. What is set, not measured, is bound to where it is set:
`= setting MAX_BATCH`, `= code module:NAME`.

`python -m benchmarks.figures` lists what is wrong, and the numbers with a unit that nothing binds;
with `--update` it first writes each figure anew, with as many digits as it had. Read the sentences
round it then: "twice as fast" is no figure.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from benchmarks.report import RESULTS

ROOT = Path(__file__).resolve().parents[1]
# Each has a test of its own that it is made from its result files.
_GENERATED_PAGES = ("docs/benchmarks.md",)
_GENERATED_BLOCK = re.compile(r"<!-- (\w+): begin -->.*?<!-- \1: end -->", re.DOTALL)

_NUMBER = r"\d[\d,]*(?:\.\d+)?"
_MARKER = re.compile(rf"({_NUMBER})([^\d<]*)<!-- = (.+?) -->")
_ANY_MARKER = re.compile(r"<!-- = .+? -->", re.DOTALL)
_UNITS = (
    r"%|‰|µs|ms|s|min|h|kB|MB|GB|TB|KiB|MiB|GiB|Hz|(?:images|pictures|messages|tasks)/s|"
    r"points?|times|seconds?|minutes?|hours?|days?|cores?|pixels?|pictures a second|(?:TF|GF)LOP/s"
)
_WITH_UNIT = re.compile(rf"(?<![\w.,]){_NUMBER}[  ]?(?:{_UNITS})(?![\w/])")


@dataclass(frozen=True, slots=True)
class Figure:
    """A number on a page that says where it comes from."""

    page: str
    line: int
    shown: str
    source: str


class FigureError(ValueError):
    """A figure's source cannot be found, or says something else."""


def pages(root: Path = ROOT) -> list[Path]:
    """README and every page of docs that people write."""
    written = [root / "README.md", *sorted((root / "docs").rglob("*.md"))]
    return [page for page in written if str(page.relative_to(root)) not in _GENERATED_PAGES]


def bound(text: str, page: str) -> Iterator[Figure]:
    """The figures of one page that name their source.

    Raises:
        FigureError: a marker follows no number.
    """
    text = _without_generated(text)
    for found in _ANY_MARKER.finditer(text):
        before = text[: found.end()]
        figure = _last(before)
        line = before.count("\n") + 1
        if figure is None:
            raise FigureError(f"{page}:{line}: no number stands before {found.group(0)}")
        yield Figure(page, line, figure.group(1), figure.group(3))


def unbound(text: str) -> list[str]:
    """Numbers with a unit that no marker binds, each with the words around it, in order."""
    text = _without_generated(text)
    held = {m.start(1) for m in _MARKER.finditer(text)}
    plain = _ANY_MARKER.sub(lambda m: "\0" * len(m.group(0)), text)
    return [
        _around(plain, found) for found in _WITH_UNIT.finditer(plain) if found.start() not in held
    ]


def check(figure: Figure, results: Path = RESULTS) -> None:
    """Compare what is shown with its source.

    Raises:
        FigureError: with page, line, what is shown, and what the source says.
    """
    where = f"{figure.page}:{figure.line}: {figure.shown} ({figure.source})"
    try:
        value = _value(figure.source, results)
    except (LookupError, OSError, ValueError, AttributeError, ImportError) as error:
        raise FigureError(f"{where}: {error}") from None
    shown = Decimal(figure.shown.replace(",", ""))
    exponent = shown.as_tuple().exponent
    assert isinstance(exponent, int)
    half = Decimal(5).scaleb(exponent - 1)
    if abs(shown - value) > half * Decimal("1.000001"):
        raise FigureError(f"{where}: the source says {value:.6g}")


def updated(text: str, results: Path = RESULTS) -> str:
    """The page with each bound figure as its source says, with as many decimals as it had.

    Raises:
        LookupError, OSError, ValueError: a source cannot be found.
    """

    def write(found: re.Match[str]) -> str:
        decimals = len(found.group(1).partition(".")[2])
        figure = f"{_value(found.group(3), results):,.{decimals}f}"
        comma = "," in found.group(1) or "," not in figure
        return found.group(0).replace(
            found.group(1), figure if comma else figure.replace(",", ""), 1
        )

    generated = [m.span() for m in _GENERATED_BLOCK.finditer(text)]
    return _MARKER.sub(
        lambda m: m.group(0) if any(a <= m.start() < b for a, b in generated) else write(m),
        text,
    )


def resolve(document: Any, pointer: str) -> Any:
    """What a JSON pointer names; `[key=value;…]` picks the one row that has these values.

    Raises:
        LookupError: it names nothing, or a selection fits no row or several.
    """
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(document, list) and step.startswith("["):
            document = _the_row(document, step)
        elif isinstance(document, list):
            document = document[int(step)]
        else:
            document = document[step]
    return document


def _value(source: str, results: Path) -> Decimal:
    source, _, factor = source.partition(" * ")
    kind, _, name = source.partition(" ")
    if kind == "setting":
        from linewatch.settings import Settings

        value = Settings.model_fields[name.lower()].default
    elif kind == "code":
        module, _, constant = name.partition(":")
        value = getattr(importlib.import_module(module), constant)
    else:
        value = resolve(json.loads((results / f"{kind}.json").read_text("utf-8")), name)
        if isinstance(value, dict):
            value = value.get("median", value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise LookupError(f"is no number: {value!r:.60}")
    return Decimal(str(value)) * Decimal(factor or "1")


def _the_row(rows: list[Any], step: str) -> Any:
    wanted = dict(part.split("=", 1) for part in step.strip("[]").split(";"))
    found = [
        row for row in rows if all(str(row.get(key)) == value for key, value in wanted.items())
    ]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows fit {step}")
    return found[0]


def _last(before: str) -> re.Match[str] | None:
    start = max(before.rfind("\n\n"), 0)
    matches = list(_MARKER.finditer(before, start))
    return matches[-1] if matches and matches[-1].end() == len(before) else None


def _without_generated(text: str) -> str:
    return _GENERATED_BLOCK.sub(lambda m: "\n" * m.group(0).count("\n"), text)


def _around(text: str, found: re.Match[str]) -> str:
    before = text[: found.start()].replace("\0", "").split()[-3:]
    after = text[found.end() :].replace("\0", "").split()[:2]
    return " ".join([*before, found.group(0), *after])


@click.command()
@click.option("--update", is_flag=True, help="Write the bound figures anew first.")
def main(update: bool) -> None:
    """List figures that are wrong, and numbers with a unit that nothing binds."""
    wrong = 0
    for path in pages():
        if update:
            path.write_text(updated(path.read_text("utf-8")), "utf-8")
        text, name = path.read_text("utf-8"), str(path.relative_to(ROOT))
        for figure in bound(text, name):
            try:
                check(figure)
            except FigureError as error:
                wrong += 1
                click.echo(f"wrong    {error}")
        for words in unbound(text):
            click.echo(f"unbound  {name}: {words}")
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
