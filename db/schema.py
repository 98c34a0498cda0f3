"""The whole schema: importing this fills `metadata` with every table, view and function."""

from db import functions, tables, views
from db.base import Base

metadata = Base.metadata

__all__ = ["compared", "functions", "metadata", "tables", "views"]


def compared(_: object, name: str | None, kind: str, *__: object) -> bool:
    """Alembic's `include_object`: of an index that one database alone has, it knows nothing."""
    return kind != "index" or name not in _OF_ONE_DATABASE


_OF_ONE_DATABASE = {
    index.name
    for table in metadata.tables.values()
    for index in table.indexes
    if index.info.get("database")
}
