"""What the sender repeats: collect receipts, send again what is due, send what waits."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from linewatch.settings import Settings
from producer.clock_skew import ClockSkew
from producer.contract import Reason, Receipt, SigningKeys
from producer.departures import Departures
from producer.messages import group, to_task
from producer.outbox import Outbox, QueuedPicture
from producer.publisher import Publisher

log = logging.getLogger(__name__)

RECEIPT_POLL_S = 0.05

_MESSAGES_A_ROUND = 32
_RECEIPTS_A_ROUND = 500
_DUE_CHECK_S = 1.0
_STRAY_CHECK_S = 5.0
_CHECKPOINT_S = 2.0
_SWEEP_S = 3600.0
_BACKLOG_PATIENCE = 9.0  # receipt timeouts more, while the queue still holds messages
_COMPLAINT_S = 60.0
_CLOCK_NOTE_S = 60.0
CLOCKS_DIFFER_S = 2.0
_CLOCK_MARGIN_S = 2.0  # the oldest message may come from a camera whose clock differs
_UNKNOWN = float("-inf")  # when the oldest message was sent


@dataclass(frozen=True, slots=True)
class Round:
    """What one round moved, and whether the queue had no room."""

    sent: int = 0
    cleared: int = 0
    queue_full: bool = False

    @property
    def busy(self) -> bool:
        """Whether there may be more at once."""
        return bool(self.sent or self.cleared)


class Drain:
    """Moves pictures from one spool to the broker and receipts back; for one thread."""

    def __init__(self, outbox: Outbox, publisher: Publisher, settings: Settings) -> None:
        self._outbox = outbox
        self._publisher = publisher
        self._settings = settings
        self._keys = SigningKeys.parse(settings.signing_keys.get_secret_value())
        self._next_due_check = 0.0
        self._next_collect = 0.0
        self._next_stray_check = 0.0
        self._next_checkpoint = 0.0
        self._next_sweep = 0.0
        self._next_complaint = 0.0
        self._next_clock_note = 0.0
        self._not_before = 0.0  # when the next message may go, unless it is full
        self._departures = Departures(settings.receipt_timeout_s)

    def round(self) -> Round:
        """One round.

        Raises:
            QueueUnavailableError: nothing is lost; whatever was not confirmed is sent again.
        """
        self._tidy()  # first: the log must not grow while the broker is away
        cleared = self._collect()
        self._requeue_due()
        sent, queue_full = self._send()
        return Round(sent, cleared, queue_full)

    def _collect(self) -> int:
        """Clear pictures by their receipts: first the spool forgets, then the list."""
        now = time.monotonic()
        if now < self._next_collect:
            return 0
        if not self._outbox.awaits_receipts() and now < self._next_stray_check:
            self._next_collect = now + RECEIPT_POLL_S
            return 0
        total = 0
        count = _RECEIPTS_A_ROUND
        while count == _RECEIPTS_A_ROUND:
            count, receipts = self._publisher.receipts(_RECEIPTS_A_ROUND)
            if count:
                self._look_for_old_workers(receipts)
                total += self._outbox.clear(receipts)
                self._publisher.forget_receipts(count)
        # Only now: a round that Redis did not answer is followed by one that asks again.
        self._next_collect = now + RECEIPT_POLL_S
        self._next_stray_check = now + _STRAY_CHECK_S
        return total

    def _look_for_old_workers(self, receipts: Sequence[Receipt]) -> None:
        """What was checked before it was accepted is refused by a worker with an older contract."""
        refused = [r.id for r in receipts if r.reason is Reason.INVALID_FIELDS]
        now = time.monotonic()
        if refused and now >= self._next_complaint:
            self._next_complaint = now + _COMPLAINT_S
            log.error(
                "a worker refused the fields of picture %s (and %d more) and did not judge it: it "
                "is older than this program. Update the workers; until then set "
                "LINEWATCH_SEEN_MAX_BYTES=0 here and use no field that came after 0.1",
                refused[0],
                len(refused) - 1,
            )

    def _requeue_due(self) -> None:
        """Send again what has no receipt in time.

        A picture sent after the oldest message that still waits is in the queue itself, and a
        second copy would only lengthen it: during an outage of an hour, many times over. One that
        was taken a moment ago is being judged. Where the queue does not tell its age, a picture is
        given ten times as long.
        """
        now = time.monotonic()
        if now < self._next_due_check:
            return
        self._next_due_check = now + min(_DUE_CHECK_S, self._settings.receipt_timeout_s / 4)
        if not self._outbox.awaits_receipts():
            return
        asked = time.time()  # before: what was sent while the answer was on its way still waits
        queue = self._publisher.queue()
        if not queue.depth:
            self._departures.note(now, asked)
        elif queue.oldest_age_s is None:
            self._departures.note(now, _UNKNOWN)
        else:
            self._departures.note(now, asked - queue.oldest_age_s - _CLOCK_MARGIN_S)
        if not self._outbox.has_due():
            return
        left_before = self._departures.before()
        if left_before == _UNKNOWN:
            self._outbox.requeue_due(self._settings.receipt_timeout_s * _BACKLOG_PATIENCE)
        else:
            self._outbox.requeue_due(sent_before=left_before)

    def _tidy(self) -> None:
        now = time.monotonic()
        if now >= self._next_sweep:
            self._next_sweep = now + _SWEEP_S
            self._outbox.sweep_copies()
        if now >= self._next_checkpoint:
            self._next_checkpoint = now + _CHECKPOINT_S
            self._outbox.checkpoint()
            self._outbox.reserve.keep()

    def _waiting(self, limit: int) -> list[QueuedPicture]:
        newest_first = self._settings.spool_order == "newest-first"
        return self._outbox.queued(limit, newest_first=newest_first)

    def _send(self) -> tuple[int, bool]:
        limit = self._settings.images_per_message
        waiting = self._waiting(limit * _MESSAGES_A_ROUND)
        if not waiting:
            return 0, False
        queue = self._publisher.queue()
        room = self._settings.max_queue_depth - queue.depth
        if room <= 0 or (queue.oldest_age_s or 0.0) > self._settings.max_queue_age_s:
            return 0, True
        early_s = self._not_before - time.monotonic()
        if len(waiting) < limit and early_s > 0:  # one that comes after a pause goes at once
            time.sleep(early_s)
            waiting = self._waiting(limit * _MESSAGES_A_ROUND)
        messages = group(waiting, limit, self._settings.max_message_bytes)[
            : min(room, _MESSAGES_A_ROUND)
        ]
        ahead_s = queue.skew.ahead_s if queue.skew else 0.0
        self._publisher.publish(
            [
                to_task(m, self._outbox.producer_id, self._keys, self._settings.site, ahead_s)
                for m in messages
            ]
        )
        sent = [picture for message in messages for picture in message]
        self._not_before = time.monotonic() + self._settings.linger_ms / 1000
        self._outbox.mark_sent(sent, self._settings.receipt_timeout_s)
        self._note_clock(queue.skew, sent[0])
        return len(sent), False

    def _note_clock(self, skew: ClockSkew | None, picture: QueuedPicture) -> None:
        """Once a minute, and after what is sent is known as sent: it may fail."""
        now = time.monotonic()
        if skew is None or now < self._next_clock_note:
            return
        self._next_clock_note = now + _CLOCK_NOTE_S
        self._publisher.note_clock(skew, picture.line, str(picture.image.get("camera", "")))
        if abs(skew.ahead_s) - skew.error_s > CLOCKS_DIFFER_S:
            log.warning(
                "this PC's clock is %.1f s %s that of Redis; let NTP set both. Deadlines at the "
                "line count from the time of capture",
                abs(skew.ahead_s),
                "behind" if skew.ahead_s > 0 else "ahead of",
            )
