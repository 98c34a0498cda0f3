"""How a worker that cannot go on ends: in time, and with a code that says "start another one"."""

from __future__ import annotations

import logging
import os
import signal
import time
from threading import Thread

log = logging.getLogger(__name__)

EXIT_CODE = 75  # EX_TEMPFAIL: start another one
LONGEST_END_S = 30.0  # of a worker whose consumer broke
LONGEST_HANDBACK_S = 10.0  # for giving messages back; clean-up with a lost device may hang


def end_now() -> None:
    """End this process with no clean-up; its messages are redelivered."""
    logging.shutdown()
    os._exit(EXIT_CODE)


def end_within(limit_s: float) -> None:
    """End this process after `limit_s` seconds, unless it has ended by itself."""

    def end() -> None:
        time.sleep(limit_s)
        log.critical("this worker broke %.0f s ago and has not ended; it is ended now", limit_s)
        end_now()

    Thread(target=end, name="end", daemon=True).start()


def hand_back_and_end() -> None:
    """Let Celery stop this worker, so that its messages go back now; if that hangs, end it."""
    end_within(LONGEST_HANDBACK_S)
    os.kill(os.getpid(), signal.SIGTERM)
