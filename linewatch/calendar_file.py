"""A file of shift calendars: which shifts which lines have, from which day on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from linewatch.calendar_spec import PLANT, CalendarSpec
from linewatch.errors import CalendarError
from linewatch.unknown_keys import problems, without_unknown
from linewatch.yaml_texts import TextLoader

_MOST_BYTES = 1_000_000


class CalendarFile(BaseModel):
    """What a file says that holds several calendars; one alone may stand without `calendars`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calendars: tuple[CalendarSpec, ...] = Field(min_length=1)


def load_calendars(path: Path, timezone: str) -> dict[str, list[CalendarSpec]]:
    """Read a file of calendars; by line, `PLANT` for all others, each by the day it is valid from.

    Args:
        timezone: of calendars that name none: the plant's.

    Raises:
        CalendarError: it is missing, not YAML, or says something that no calendar can be: names the
            field, and the nearest known name.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise CalendarError(f"{path} has more than a megabyte; is it a calendar?")
        data = TextLoader(text).get_single_data()
    except OSError as error:
        raise CalendarError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise CalendarError(f"{path}: {' '.join(str(error).split())}") from None
    return parse_calendars(data, timezone, source=str(path))


def parse_calendars(data: object, timezone: str, source: str) -> dict[str, list[CalendarSpec]]:
    """The same of what a file holds.

    Raises:
        CalendarError: see `load_calendars`.
    """
    if isinstance(data, Mapping) and "calendars" not in data:
        data = {"calendars": [data]}
    if isinstance(data, Mapping) and isinstance(data["calendars"], list | tuple):
        listed = [_in(one, timezone) for one in data["calendars"]]
        data = {**data, "calendars": listed}
    known, unknown = without_unknown(CalendarFile, data)
    wrong = [f"there is no key {words}" for words in unknown]
    try:
        file = CalendarFile.model_validate(known)
    except ValidationError as error:
        raise CalendarError(f"{source}: {'; '.join([*wrong, problems(error)])}") from None
    if wrong:
        raise CalendarError(f"{source}: {'; '.join(wrong)}")
    return _by_line(file.calendars, source)


def _in(calendar: Any, timezone: str) -> Any:
    """A calendar with its time zone; what is no calendar stays what it is."""
    return {"timezone": timezone, **calendar} if isinstance(calendar, Mapping) else calendar


def _by_line(calendars: Sequence[CalendarSpec], source: str) -> dict[str, list[CalendarSpec]]:
    found: dict[str, list[CalendarSpec]] = {}
    for spec in sorted(calendars, key=lambda one: one.valid_from):
        for line in spec.lines or (PLANT,):
            earlier = found.setdefault(line, [])
            if earlier and earlier[-1].valid_from == spec.valid_from:
                whose = f"of line {line!r}" if line else "of the plant"
                raise CalendarError(
                    f"{source}: two calendars {whose} are valid from {spec.valid_from}"
                )
            earlier.append(spec)
    return found
