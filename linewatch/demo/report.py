"""The report at the end of the demonstration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from db.models import runs
from db.reports.part_reports.defect_rate import rate_cells, yield_cells
from db.session import engine_for
from linewatch.chart_text import chart_lines
from linewatch.demo.guest import own_command
from linewatch.demo.run import DemoResult
from linewatch.demo.shift_report import shift_chart, shift_tallies
from linewatch.settings import Settings
from producer.contract import Verdict
from quality.parts.tally import PartTally


def print_report(
    console: Console,
    settings: Settings,
    product: str,
    result: DemoResult,
    flower_url: str,
    *,
    stay: bool,
) -> list[dict[str, Any]]:
    """Print what the shift was like; returns the rows by line for `--json`.

    The pictures that came before there was a model are in none of the shift's figures.
    """
    engine = engine_for(settings.sql_url)
    tallies = shift_tallies(engine, product, result.shift_lots, settings.timezone)
    console.print()
    console.print(_shift_table(tallies))
    console.print()
    chart = shift_chart(engine, product, result.shift_lots, settings.timezone)
    for line in chart_lines(chart, console.width):
        console.print(line, markup=False, highlight=False)
    console.print()
    metrics = runs.run_metrics(engine, result.version)
    console.print(_class_table(metrics))
    console.print(_confusion_table(metrics))
    _print_books(console, result)
    _print_places(console, settings, flower_url, stay)
    return [
        {"line": line, **rate_cells(tally), **yield_cells(tally)} for line, tally in tallies.items()
    ]


def _shift_table(tallies: Mapping[str, PartTally]) -> Table:
    table = _table("Defect rate of the shift, by parts")
    columns = ("line", "parts", "decided", "open", "rate", "95 %", "band", "yield")
    for name in columns:
        table.add_column(name, justify="left" if name == "line" else "right", no_wrap=True)
    for line, tally in tallies.items():
        table.add_row(
            *(line, *map(str, (tally.parts, tally.decided, tally.open))),
            *(_percent(tally.rate), _interval(tally.interval), _interval(tally.band)),
            _percent(tally.first_pass_yield),
        )
    table.caption = "band: from all open parts good to all bad · yield: first-pass yield"
    return table


def _class_table(metrics: Any) -> Table:
    table = _table("First model, stratified 3-fold cross-validation")
    for name in ("class", "precision", "recall", "F1", "support"):
        table.add_column(name, justify="left" if name == "class" else "right")
    for row in metrics.classes:
        values = (row.precision, row.recall, row.f1)
        cells = [f"{value:.2f}" if value is not None else "–" for value in values]
        table.add_row(row.class_code, *cells, str(row.support))
    table.caption = (
        f"accuracy {metrics.accuracy:.2f} · macro F1 {metrics.macro_f1:.2f} · "
        f"weighted F1 {metrics.weighted_f1:.2f}"
    )
    return table


def _confusion_table(metrics: Any) -> Table:
    names = [row.class_code for row in metrics.classes]
    counts = {(cell.actual, cell.predicted): cell.count for cell in metrics.confusion}
    table = _table("Confusion (rows: label, columns: predicted)")
    table.add_column("")
    for number, _ in enumerate(names, start=1):
        table.add_column(str(number), justify="right")
    for number, actual in enumerate(names, start=1):
        cells = [str(counts.get((actual, predicted), 0) or "·") for predicted in names]
        table.add_row(f"{number} {actual}", *cells)
    return table


def _print_books(console: Console, result: DemoResult) -> None:
    books, score = result.account, result.score
    console.print(
        f"accepted {books.accepted} = judged {books.judged} + rejected {books.rejected} + "
        f"dead-lettered {books.dead_lettered} · lost {books.lost} · duplicates {books.duplicates}"
    )
    counts = result.shift_verdicts
    said = " · ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts.get(verdict))
    console.print(f"shift alone: {said} of {result.shift_parts}")
    if score.accuracy is not None:
        console.print(
            f"shift: {result.shift_parts / result.shift_seconds:.1f} pictures/s · first choice "
            f"right {score.accuracy:.1%} · macro F1 {score.macro_f1:.2f} (against the known truth)"
        )


def _print_places(console: Console, settings: Settings, flower_url: str, stay: bool) -> None:
    from vision.weights import describe

    console.print(f"\nencoders  {describe(settings)}")
    if stay:
        console.print(f"Flower    {flower_url}")
    console.print(f"data      {settings.data_dir}  (database, models, logs, spools)")
    console.print(
        f"report    LINEWATCH_DATA_DIR={settings.data_dir} {own_command()} report pareto",
        soft_wrap=True,
    )


def _table(title: str) -> Table:
    return Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False
    )


def _interval(interval: tuple[float, float] | None) -> str:
    return "–" if interval is None else f"{interval[0]:.0%}–{interval[1]:.0%}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
