"""Puts the plant that `plant.py` froze into a folder and an empty database, as 0.1.0 left it."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, Uuid, column, table, text
from sqlalchemy.types import TypeEngine

from db import migrate
from db.base import OptionalJson, UTCDateTime
from db.session import engine_for, transaction

LAST_REVISION = "0007"
_TYPES: dict[str, TypeEngine[Any]] = {
    "BigInteger": BigInteger(),
    "JSON": OptionalJson,
    "LargeBinary": LargeBinary(),
    "UTCDateTime": UTCDateTime(),
    "Uuid": Uuid(),
}
_NUMBERED = "BigInteger"  # ids that the database counts on from


def placed(folder: Path, url: str) -> dict[str, Any]:
    """What is known of the plant, whose files lie beneath `folder` now."""
    found = _read(str(folder))
    for part in ("models", "pictures"):
        place = folder / ("data/models" if part == "models" else part)
        for name, content in found[part].items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
    (folder / "products").mkdir()
    (folder / "products" / "cable.yaml").write_text(found["product"])
    spools = folder / "data" / "spool"
    spools.mkdir()
    for name, script in found["spools"].items():
        with sqlite3.connect(spools / name) as db:
            db.executescript(script)
        db.close()
    _fill(url, found["tables"])
    return {name: found[name] for name in ("known", "said", "queue")}


def _fill(url: str, tables: dict[str, Any]) -> None:
    migrate.upgrade(url, LAST_REVISION)
    engine = engine_for(url)
    with transaction(engine) as connection:
        for name, content in tables.items():
            kinds = content["columns"]
            columns = [column(c, _TYPES.get(k)) for c, k in kinds.items()]
            rows = [
                {c: _value(k, v) for (c, k), v in zip(kinds.items(), row, strict=True)}
                for row in content["rows"]
            ]
            if rows:
                connection.execute(table(name, *columns).insert(), rows)
            if kinds.get("id") == _NUMBERED and engine.dialect.name == "postgresql":
                sequence = f"pg_get_serial_sequence('{name}', 'id')"
                newest = f"SELECT setval({sequence}, max(id)) FROM {name} HAVING max(id) > 0"
                connection.execute(text(newest))


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "UTCDateTime":
        return datetime.fromisoformat(value)
    if kind == "Uuid":
        return UUID(value)
    return base64.b64decode(value) if kind == "LargeBinary" else value


def _read(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text().replace("@PLANT@", folder))
    return found


@lru_cache(maxsize=1)
def _text() -> str:
    packed = Path(__file__).with_name("plant.json.gz").read_bytes()
    return gzip.decompress(packed).decode()
