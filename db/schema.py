"""The whole schema: importing this fills `metadata` with every table and view."""

from db import tables, views
from db.base import Base

metadata = Base.metadata

__all__ = ["metadata", "tables", "views"]
