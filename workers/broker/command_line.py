"""Celery's own command line, which takes nothing from the working folder."""

from __future__ import annotations

from contextlib import nullcontext


def run() -> None:
    """Run it with this process's arguments.

    `celery` puts the working folder in front of the search path while it looks for its application,
    and again for the modules of its tasks.
    """
    from celery.utils import imports

    imports.cwd_in_path = nullcontext
    from celery.__main__ import main

    main()
