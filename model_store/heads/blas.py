"""One thread for the linear algebra of a fit.

A fit's matrices are small. Several BLAS threads gain it little, and beside workers that use the
cores they wait for each other at every product: seen 5.7 s in place of 0.08 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

_lock = Lock()
_within = 0  # how many fits are under way, over all threads: the limit is the process's
_limits: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS use one thread in here; when the last fit has ended, as many as before."""
    from threadpoolctl import threadpool_limits

    global _within, _limits
    with _lock:
        if _within == 0:
            _limits = threadpool_limits(1, user_api="blas")
        _within += 1
    try:
        yield
    finally:
        with _lock:
            _within -= 1
            if _within == 0:
                _limits.restore_original_limits()
