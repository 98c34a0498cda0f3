"""How a worker that cannot go on ends: in time, and with a code that says "start another one"."""

from __future__ import annotations

import logging
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

log = logging.getLogger(__name__)

EXIT_CODE = 75  # EX_TEMPFAIL: start another one
LONGEST_END_S = 30.0  # of a worker whose consumer broke
LONGEST_HANDBACK_S = 10.0  # for giving messages back; clean-up with a lost device may hang
LONGEST_REST_S = 5.0  # of a worker that has stopped its work, where something in it hangs
LAST_WORD_S = 1.0  # for tasks to say what becomes of their messages, once all pictures have ended


def end_now(code: int = EXIT_CODE) -> None:
    """End this process with no clean-up; its messages are redelivered."""
    logging.shutdown()
    os._exit(code)


def end_within(limit_s: float, code: int = EXIT_CODE) -> None:
    """End this process with `code` after `limit_s` seconds, unless it has ended by itself."""

    def end() -> None:
        time.sleep(limit_s)
        log.critical("this worker should have ended within %.0f s; it is ended now", limit_s)
        end_now(code)

    Thread(target=end, name="end", daemon=True).start()


def hand_back_and_end() -> None:
    """Let Celery stop this worker, so that its messages go back now; if that hangs, end it."""
    end_within(LONGEST_HANDBACK_S)
    os.kill(os.getpid(), signal.SIGTERM)


def leave_hung_tasks(pool: Any) -> None:
    """Let Celery stop without the tasks of its thread pool that hang.

    Celery would wait for them without limit, and only then send the acknowledgements and hand-backs
    of all others, which its event loop keeps, and hand back what no task has answered for.
    """
    from workers.broker.worker_state import state

    deadline = time.monotonic() + LAST_WORD_S
    while state.active_requests and time.monotonic() < deadline:
        time.sleep(0.02)
    pool.executor.shutdown(wait=False, cancel_futures=True)
    pool.executor = ThreadPoolExecutor(1)  # it has no threads to wait for
