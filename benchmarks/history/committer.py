"""Commits pictures as a worker does, on the code that its PYTHONPATH names, and times them.

That code is this version's or 0.1.0's, whose modules lie elsewhere. A child of
`benchmarks.benches.commit`: it is told on its standard input what to do, and answers with a line of
JSON. Messages come in pairs that show the same parts: one view of each in the first message, the
other in the second.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import event

from db.session import engine_for
from producer.contract import Verdict
from producer.uuid7 import uuid7


def _found(name: str, *modules: str) -> Any:
    """Something of the first of these modules that there is.

    Raises:
        ModuleNotFoundError: there is none.
    """
    for module in modules[:-1]:
        try:
            return getattr(import_module(module), name)
        except ModuleNotFoundError:
            continue
    return getattr(import_module(modules[-1]), name)


commit_inspections = _found("commit_inspections", "db.inspections.inspections", "db.inspections")
InspectionRecord = _found("InspectionRecord", "db.inspections.records", "db.records")
# What writes the rows: a function of the database, or 0.1.0's statement.
_COMMITS = ("SELECT linewatch_commit(", "\nWITH incoming AS MATERIALIZED (")
_CLASSES = ["good", *(f"defect-{number}" for number in range(1, 9))]
_KNOWN = {field.name for field in fields(InspectionRecord)}


class Committer:
    """Commits pairs of messages.

    Args:
        url: a database with a plant's history.
        size: pictures a message.
        prefix: of the serial numbers, so that nobody else has them.
    """

    def __init__(self, url: str, size: int, prefix: str) -> None:
        self._engine, self._size, self._prefix = engine_for(url), size, prefix
        self._parts = 0

    def pairs(self, count: int) -> dict[str, Any]:
        """Commit so many pairs; returns seconds a message."""
        messages = [message for _ in range(count) for message in self._pair()]
        seconds = []
        for message in messages:
            began = time.perf_counter()
            new = commit_inspections(self._engine, message, UTC)
            seconds.append(time.perf_counter() - began)
            assert len(new) == self._size
        return {"seconds": seconds}

    def wal(self, count: int) -> dict[str, Any]:
        """Bytes of PostgreSQL's log that so many pairs write, but for the commit record itself.

        The statement that commits is run under EXPLAIN first, which does its work and says what was
        logged for it, whatever other sessions do; its second run finds every row there.
        """
        logged: list[dict[str, int]] = []

        def explain(
            connection: Any, cursor: Any, statement: str, parameters: Any, *_: object
        ) -> None:
            if statement.startswith(_COMMITS):
                cursor.execute(f"EXPLAIN (ANALYZE, WAL, FORMAT JSON) {statement}", parameters)
                logged.append(cursor.fetchone()[0][0]["Plan"])

        event.listen(self._engine, "before_cursor_execute", explain)
        for message in [message for _ in range(count) for message in self._pair()]:
            commit_inspections(self._engine, message, UTC)
        event.remove(self._engine, "before_cursor_execute", explain)
        names = {"bytes": "WAL Bytes", "records": "WAL Records", "whole_pages": "WAL FPI"}
        return {key: sum(plan[name] for plan in logged) for key, name in names.items()}

    def _pair(self) -> list[list[Any]]:
        numbers = range(self._parts, self._parts + self._size)
        self._parts += self._size
        return [[self._record(n, camera) for n in numbers] for camera in (1, 2)]

    def _record(self, number: int, camera: int) -> Any:
        now = datetime.now(UTC)
        bad = number % 50 == 0
        verdict = Verdict.REVIEW if number % 70 == 1 else Verdict.DEFECT if bad else Verdict.PASS
        id_ = uuid7()
        words: dict[str, Any] = {
            "id": id_,
            "verdict": verdict,
            "product": "product-0",
            "line": "line-1",
            "camera": f"camera-{camera}",
            "part": f"{self._prefix}{number:08}",
            "lot": "lot-now",
            "image_uri": f"/pictures/lot-now/camera-{camera}/{id_}.jpg",
            "image_sha256": f"{id_.hex}{id_.hex[::-1]}",
            "captured_at": now - timedelta(seconds=3 - camera),
            "enqueued_at": now - timedelta(seconds=0.5),
            "decided_at": now,
            "defect_class": "defect-1" if bad else "good",
            "confidence": 0.9876543,
            "model_version": "product-0-1",
            "worker": "worker-1",
            "probabilities": dict.fromkeys(_CLASSES, 0.1111111111111111),
        }
        return InspectionRecord(**{name: v for name, v in words.items() if name in _KNOWN})


def main() -> None:
    """Answer each line of the standard input: `pairs 10`, `wal 10`."""
    url, size, prefix = sys.argv[1:]
    committer = Committer(url, int(size), prefix)
    for line in sys.stdin:
        what, count = line.split()
        answer = {"pairs": committer.pairs, "wal": committer.wal}[what]
        print(json.dumps(answer(int(count))), flush=True)


if __name__ == "__main__":
    main()
