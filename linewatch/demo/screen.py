"""What a person sees while the demonstration runs, and at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn


class Screen:
    """Progress on a terminal; plain lines where there is none."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.receipts = 0
        self._submitted = 0
        self._progress: Progress | None = None

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[None]:
        """Show a step while its body runs; one that handles pictures counts them."""
        began = time.monotonic()
        self.receipts = self._submitted = 0
        columns = [SpinnerColumn(), TextColumn("{task.description:34}"), BarColumn()]
        columns += [MofNCompleteColumn()] if total else []
        with Progress(*columns, console=self.console, transient=True) as progress:
            self._progress = progress
            self._task = progress.add_task(title, total=total)
            yield
            self._progress = None
        seconds = time.monotonic() - began
        rate = f", {total / seconds:.1f} pictures/s" if total else ""
        counted = f"{total} pictures in " if total else ""
        self.console.print(f"  [green]✓[/] {title}: {counted}{seconds:.1f} s{rate}")

    def submitted(self) -> None:
        """One more picture is in the spool."""
        self._submitted += 1

    def judged(self) -> None:
        """One more receipt came back."""
        self.receipts += 1
        if self._progress is not None:
            self._progress.update(self._task, completed=self.receipts)
