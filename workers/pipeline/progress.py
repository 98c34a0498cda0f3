"""Says in Flower how far a message of many pictures is, while its task waits for them.

A Celery event of a kind of its own, `task-progress`: Flower shows the task in the state PROGRESS,
with this text as its result, until the task ends. The event takes the way of all events of the
task, the dispatcher of the worker's connection, so it costs no connection and cannot come too late.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from db.inspections.records import Outcome
from workers.pipeline.reply import Reply

log = logging.getLogger(__name__)

EVENT = "task-progress"
PERIOD_S = 1.0  # a message that takes no longer says nothing


def wait(replies: Sequence[Reply], known: Sequence[Outcome], tell: Callable[[str], None]) -> None:
    """Wait for every reply, and tell how far they are each time more pictures are done.

    Args:
        replies: the pictures being worked on.
        known: outcomes of the message's other pictures.
        tell: is given the text, at most once a second; must not raise.
    """
    total = len(known) + sum(reply.count for reply in replies)
    told = len(known)
    for reply in replies:
        while not reply.wait(PERIOD_S if total > 1 else None):
            done = [*known, *(outcome for each in replies for outcome in each.outcomes)]
            if len(done) > told:
                told = len(done)
                tell(f"{told} of {total}: {summary(done)}")


def summary(outcomes: Iterable[Outcome]) -> str:
    """Counts by verdict: `37 review · 3 rejected`."""
    counts = Counter(str(outcome.verdict) for outcome in outcomes)
    return " · ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def tell_flower(task_id: str, text: str) -> None:
    """Send the event; whatever is wrong with that is no reason not to inspect."""
    from workers.broker.worker_state import state

    try:
        request = state.requests.get(task_id)
        if request is not None:
            request.send_event(EVENT, result=text)
    except Exception:
        log.debug("no progress told of message %s", task_id, exc_info=True)
