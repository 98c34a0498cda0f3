"""One write, committed: what a use case with nothing else to do is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine

from db.session import transaction

P = ParamSpec("P")
R = TypeVar("R")


def committed(
    engine: Engine,
    write: Callable[Concatenate[Connection, P], R],
    *args: P.args,
    **kwargs: P.kwargs,
) -> R:
    """Call `write` in a transaction of its own."""
    with transaction(engine) as connection:
        return write(connection, *args, **kwargs)
