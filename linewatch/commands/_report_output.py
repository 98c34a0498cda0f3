"""Where a report goes: to the terminal, or into a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from linewatch import __version__
from linewatch.commands._output import FORMATS, say, write_rows

if TYPE_CHECKING:
    from db.reports.report import Report

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Output:
    """How a report is shown, or which file it is written to.

    Attributes:
        format_: of what is printed, where there is no `path`.
        path: of the file; its ending says the format.
        replace: a file that is there already.
    """

    format_: str = "table"
    path: Path | None = None
    replace: bool = False

    @classmethod
    def of(cls, format_: str | None, path: Path | None, replace: bool) -> Output:
        """Check what was asked for, before any time is spent on the report.

        Raises:
            UsageError: options that contradict each other.
            ReportError: nothing can be written there.
            ConfigurationError: a package that this format needs is not installed.
        """
        if path is None:
            if replace:
                raise click.UsageError("--force replaces the file of --out; name one")
            return cls(format_ or "table")
        if format_ is not None:
            raise click.UsageError("the ending of --out says the format: leave out --format")
        from linewatch.report_files.formats import format_of
        from linewatch.report_files.written import refuse_taken

        chosen = format_of(path)
        refuse_taken(path, replace=replace)
        return cls(chosen, path, replace)

    @property
    def for_people(self) -> bool:
        """Whether it is printed as a table; programs and files take any number of rows."""
        return self.path is None and self.format_ == "table"

    def write(self, report: Report) -> None:
        """Print the report, its notes below it (beside it, for programs), or write the file.

        Raises:
            ReportError: the file cannot be written.
        """
        if self.path is not None:
            self._to_file(self.path, report)
            return
        write_rows(
            report.plain_rows(),
            self.format_,
            columns=report.columns,
            title=report.title,
            empty=report.empty,
        )
        for note in report.notes:
            say(note, err=self.format_ != "table")

    def _to_file(self, path: Path, report: Report) -> None:
        from linewatch.report_files.formats import file_bytes
        from linewatch.report_files.made import Made
        from linewatch.report_files.written import write_whole
        from linewatch.settings import get_settings

        made = Made(datetime.now(UTC).astimezone(get_settings().timezone), __version__)
        write_whole(path, file_bytes(report, self.format_, made), replace=self.replace)
        say(f"{path}: {len(report.rows)} rows" if report.rows else f"{path}: {report.empty}")


def output_options(function: F) -> F:
    """Options for where a report goes; the command gets them as one `output`."""

    @click.option(
        "--format", "format_", type=FORMATS, show_default="table", help="Of what is printed."
    )
    @click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Write this file instead: .csv, .json, .parquet, .xlsx or .html.",
    )
    @click.option("--force", is_flag=True, help="Replace that file if it exists.")
    @wraps(function)
    def with_output(
        *args: Any, format_: str | None, out: Path | None, force: bool, **kwargs: Any
    ) -> Any:
        return function(*args, output=Output.of(format_, out, force), **kwargs)

    return with_output  # type: ignore[return-value]
