"""The settings as a table for the documentation: what each is called, its default, its meaning."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from linewatch.errors import ConfigurationError
from linewatch.settings import Settings

BEGIN, END = "<!-- settings: begin -->", "<!-- settings: end -->"
_COMPUTED = {"data_dir": "`./var`", "decode_threads": "one a core"}


def settings_table() -> str:
    """A Markdown table with a row for every setting, in the order in which they are defined."""
    rows = ["| `LINEWATCH_…` | default | what it is |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        text = _meaning(field).replace("|", "\\|")
        rows.append(f"| `{name.upper()}` | {_default(name, field)} | {text} |")
    return "\n".join(rows)


def updated(page: str) -> str:
    """`page` with the table between its two markers made anew.

    Raises:
        ConfigurationError: it has no such markers.
    """
    if BEGIN not in page or END not in page:
        raise ConfigurationError(f"the page has no {BEGIN} … {END}")
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return between.sub(lambda _: f"{BEGIN}\n{settings_table()}\n{END}", page, count=1)


def update(path: Path) -> bool:
    """Make a file's table anew; returns whether that changed it."""
    before = path.read_text(encoding="utf-8")
    after = updated(before)
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def _meaning(field: FieldInfo) -> str:
    choices = [c for c in get_args(field.annotation) if isinstance(c, str)]
    words = [field.description or "", f"One of {', '.join(choices)}." if choices else ""]
    return " ".join(filter(None, words))


def _default(name: str, field: FieldInfo) -> str:
    value = field.default
    if name in _COMPUTED:
        return _COMPUTED[name]
    if isinstance(value, SecretStr) or value in (None, "", (), PydanticUndefined):
        return "–"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{value}`"
