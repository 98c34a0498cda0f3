"""Gathers the views of one part into one message."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from uuid import UUID

from linewatch.errors import SubmissionError
from producer.submission import Submission

log = logging.getLogger(__name__)


class PartViews:
    """One part, seen by several cameras; made by `Camera.part`. Safe to share between threads.

    As a context manager it hands over at the end of the block, also when the block ends with an
    error: what is there is judged, and what is missing is known as missing.

    Args:
        common: what is said of each picture; its `views` are the cameras that the part needs.
        began: told of each view when it comes, before anything is handed over.
        submit: takes all pictures at once, in one message; returns their ids.
    """

    def __init__(
        self,
        common: Submission,
        *,
        began: Callable[[Submission], None],
        submit: Callable[[list[Submission]], list[UUID]],
    ) -> None:
        self._common = common
        self._views = tuple(common.views or ())
        self._began = began
        self._submit = submit
        self._lock = threading.Lock()
        self._pictures: dict[str, Submission] = {}
        self._handed_over = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The views that are not there yet."""
        with self._lock:
            return tuple(view for view in self._views if view not in self._pictures)

    def add(
        self,
        view: str,
        path: str | os.PathLike[str],
        captured_at: datetime | None = None,
    ) -> None:
        """Take the picture of one view. The part's deadline runs from its first one on.

        Args:
            view: the camera, one of the part's views.
            path, captured_at: as in `Camera.submit`.

        Raises:
            SubmissionError: the part has no such view, has it already, or was handed over.
        """
        picture = replace(
            self._common, path=path, camera=view, captured_at=captured_at or datetime.now(UTC)
        )
        with self._lock:
            if view not in self._views:
                known = ", ".join(self._views)
                raise SubmissionError(f"{self._name} has no view {view!r}; it has {known}")
            if view in self._pictures:
                raise SubmissionError(f"{self._name} has its view {view!r} already")
            if self._handed_over:
                raise SubmissionError(
                    f"{self._name} was handed over before its view {view!r} came; hand that over "
                    "with `submit`, with the same part and views"
                )
            self._pictures[view] = picture
        self._began(picture)

    def submit(self) -> list[UUID]:
        """Hand over what is there, in one message; the ids in the order of the part's views.

        Raises:
            SubmissionError: nothing is there, or it was handed over before.
            SpoolError: see `Camera.submit`; it may be tried again.
        """
        with self._lock:
            if self._handed_over:
                raise SubmissionError(f"{self._name} was handed over before")
            pictures = [self._pictures[view] for view in self._views if view in self._pictures]
            missing = [view for view in self._views if view not in self._pictures]
            if not pictures:
                raise SubmissionError(f"{self._name} has no picture; `add` one of each view")
            ids = self._submit(pictures)
            self._handed_over = True
        if missing:
            log.warning("%s was handed over without %s", self._name, ", ".join(missing))
        return ids

    def __enter__(self) -> PartViews:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            nothing_to_do = self._handed_over or (error is not None and not self._pictures)
        if not nothing_to_do:
            self.submit()

    @property
    def _name(self) -> str:
        return f"part {self._common.part!r}"


def checked_views(part: str, views: Sequence[str]) -> tuple[str, ...]:
    """The views of a part.

    Raises:
        SubmissionError: there is none, or it is a text and no list of texts.
    """
    if isinstance(views, str) or not views:
        raise SubmissionError(f"part {part!r} needs the list of its views, such as ['top', 'side']")
    return tuple(views)
