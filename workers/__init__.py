"""Celery's side: `celery -A workers worker` runs a worker, and `linewatch worker` knows how.

Importing this, or any module in it, makes no application and reads no settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from linewatch.import_path import run_as_program

if TYPE_CHECKING:
    from celery import Celery

run_as_program()  # before `db` is imported: `celery` looks in the working folder first


def __getattr__(name: str) -> Celery:
    if name == "celery":  # which `celery -A workers` asks for
        from workers.app import application

        return application()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
