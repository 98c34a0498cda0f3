"""A purge: everything whose time is over, batch by batch, and an audit entry for what went."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine

from db import audit, products
from db.retention import counts, files, partitions, queries
from db.retention.marks import move_mark
from db.retention.months import Month
from db.retention.policy import KEEP_ALL, UNREGISTERED, Kind, Limit, limits
from db.session import transaction
from linewatch.settings import Settings
from vision.removal import remove_picture
from workers.retention.kept_files import KeptFiles

log = logging.getLogger(__name__)

PAUSE_S = 0.02  # between batches: inspection goes first


@dataclass(frozen=True, slots=True)
class Purged:
    """What went, or would go. `count`: files for pictures, rows for all else."""

    kind: Kind
    product: str
    before: datetime
    count: int


class Purge:
    """One run over every kind and product.

    Args:
        engine: the database.
        settings: limits, batch size, image roots and whether files may be deleted.
        by: for the audit log.
        now: aware; empty: now.
    """

    def __init__(
        self, engine: Engine, settings: Settings, *, by: str, now: datetime | None = None
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._by = by
        known = products.catalogue(engine)
        own = {code: spec.retention for code, spec in known.products.items()}
        own |= dict.fromkeys(known.broken, KEEP_ALL)  # nobody can tell what it wants kept
        self._registered = tuple(own)
        self._limits = list(limits(settings, own, now or datetime.now(UTC)))
        ends = {lim.product: lim.before for lim in self._limits if lim.kind is Kind.PICTURES}
        self._files = KeptFiles(engine, ends, self._registered)

    def preview(self) -> list[Purged]:
        """What a run would purge: for pictures at most so many, since some files are shared."""
        return [
            Purged(
                limit.kind,
                limit.product,
                limit.before,
                queries.count(self._engine, limit.kind, self._of(limit), limit.before),
            )
            for limit in self._due()
        ]

    def run(self) -> list[Purged]:
        """Purge. What is done is audited even if the rest fails."""
        done = []
        dropped = self._drop_partitions()
        for limit in self._due():
            count = 0
            try:
                for batch in self._batches(limit):
                    count += batch
                    time.sleep(PAUSE_S)
            finally:
                if count:
                    with transaction(self._engine) as connection:
                        self._audit(connection, limit, count)
            done.append(Purged(limit.kind, limit.product, limit.before, count))
        return dropped + done

    def _due(self) -> Iterator[Limit]:
        for limit in self._limits:
            if limit.kind is Kind.PICTURES and not self._settings.retention_delete_files:
                continue
            yield limit

    def _of(self, limit: Limit) -> queries.Product:
        return limit.product, self._registered

    def _batches(self, limit: Limit) -> Iterator[int]:
        size = self._settings.retention_batch
        if limit.kind is Kind.PICTURES:
            yield from self._remove_pictures(limit)
        elif limit.kind is Kind.FEATURES:
            more = True
            while more:
                with transaction(self._engine) as connection:
                    count, more = queries.purge_features(
                        connection, self._of(limit), limit.before, size
                    )
                yield count
        else:
            step: Callable[..., int] = (
                queries.purge_inspections
                if limit.kind is Kind.INSPECTIONS
                else counts.purge_rollups
            )
            count = 1
            while count:
                with transaction(self._engine) as connection:
                    count = step(connection, self._of(limit), limit.before, size)
                yield count

    def _remove_pictures(self, limit: Limit) -> Iterator[int]:
        roots, size = self._settings.image_roots, self._settings.retention_batch
        while found := files.old_pictures(self._engine, self._of(limit), limit.before, size):
            removed = 0
            try:
                kept = self._files.kept_beside(found)
                for uri in dict.fromkeys(one.uri for one in found if one.uri is not None):
                    removed += remove_picture(uri, roots=roots, before=limit.before, kept=kept)
            except OSError as error:  # the mark stays, so the next purge tries again
                log.warning("pictures of %s not deleted: %s", limit.product or "others", error)
                yield removed
                return
            with transaction(self._engine) as connection:
                move_mark(connection, limit.kind, limit.product, found[-1].decided_at)
            yield removed

    def _drop_partitions(self) -> list[Purged]:
        """Whole months at once, where every product's time is over and nothing is kept."""
        ends = {lim.product: lim.before for lim in self._limits if lim.kind is Kind.INSPECTIONS}
        if ends.keys() != {*self._registered, UNREGISTERED}:
            return []  # some product keeps its inspections for ever
        before = min(ends.values())
        done = []
        for month in partitions.droppable(self._engine, before):
            limit = Limit(Kind.INSPECTIONS, f"partition {month.name}", before)
            self._keep_views(month)
            with transaction(self._engine) as connection:
                rows = partitions.drop(connection, month, before)
                if rows is None:
                    continue
                self._audit(connection, limit, rows)
            done.append(Purged(limit.kind, limit.product, before, rows))
        return done

    def _keep_views(self, month: Month) -> None:
        kept = 1
        while kept:
            with transaction(self._engine) as connection:
                size = self._settings.retention_batch
                kept = partitions.keep_views_of(connection, month, size)

    def _audit(self, connection: Connection, limit: Limit, count: int) -> None:
        detail = {"kind": str(limit.kind), "before": limit.before.isoformat(), "count": count}
        subject = limit.product or "unregistered products"
        audit.append(connection, self._by, "retention.purge", subject, detail)
        log.info("purged %d %s of %s before %s", count, limit.kind, subject, limit.before)
