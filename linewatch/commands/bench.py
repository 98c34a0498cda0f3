"""`linewatch bench`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from linewatch.commands._new_file import NewFile
from linewatch.errors import LinewatchError

ROOT = Path(__file__).resolve().parents[2]


@click.command()
@click.argument("name")
@click.option(
    "--json",
    "json_path",
    type=NewFile(),
    help="Write the result here; with 'all', each one goes to benchmarks/results/.",
)
@click.option("--quick", is_flag=True, help="Five shorter rounds: five minutes on two idle cores.")
def command(name: str, json_path: Path | None, quick: bool) -> None:
    """Measure this machine; needs a checkout of the repository.

    NAME is a benchmark, 'list' for their names, or 'all', which also writes docs/benchmarks.md.
    """
    suite = _suite()
    if name == "list":
        for bench, about in suite.BENCHES.items():
            click.echo(f"{bench:12} {about}")
        return
    if name != "all" and name not in suite.BENCHES:
        names = ", ".join(suite.BENCHES)
        raise click.BadParameter(f"no benchmark is called {name}; choose from {names}, or all")
    if name == "all":
        _run_all(suite, quick)
        return
    result = suite.run_bench(name, quick=quick)
    if json_path is not None:
        importlib.import_module("benchmarks.report").write(result, json_path)
    click.echo(importlib.import_module("benchmarks.table").result_as_text(result))


def _run_all(suite: Any, quick: bool) -> None:
    """Run everything; what cannot run here keeps its old result, and the others go on."""
    failed = []
    for bench in suite.BENCHES:
        try:
            suite.run_and_write(bench, quick=quick)
        except LinewatchError as error:
            click.echo(f"{bench}: {error}", err=True)
            failed.append(bench)
    table = importlib.import_module("benchmarks.table")
    table.PAGE.write_text(table.page(), encoding="utf-8")
    click.echo(f"wrote {table.PAGE}")
    if failed:
        raise click.ClickException(f"not measured: {', '.join(failed)}")


def _suite() -> Any:
    """The benchmarks, which are not part of the installed package."""
    if not (ROOT / "benchmarks" / "suite.py").is_file():
        raise click.UsageError(
            "the benchmarks are not installed with Linewatch: clone the repository and run "
            "`make setup`, then `.venv/bin/linewatch bench` there"
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return importlib.import_module("benchmarks.suite")
