"""JSON from outside, read plainly. Pure; `docs/protocol.md` tells producers of the bounds.

A number costs no more than it says: none is written with more digits than `MAX_DIGITS`. What else
a number may be, its field says, so that one picture's wrong number is that picture's alone; `NaN`
and the infinities are read for that reason too, and no field takes them. Nothing is nested so
deeply that it exhausts who reads it. And an object is an object: no `{"__type__": …}` comes to
life, as in kombu's own decoder.
"""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 256
MAX_DIGITS = 400
_SHOWN = 20  # characters of a number that is too long
_NESTING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', re.DOTALL)


class StrictJsonError(ValueError):
    """The bytes are not JSON, or JSON beyond the bounds."""


def loads(data: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """What the bytes say, as dicts, lists, strings, numbers, booleans and None.

    Of a name that comes twice in an object the last counts, as for most readers.

    Raises:
        StrictJsonError: they are not UTF-8, not JSON, nested deeper than `max_depth`, or hold a
            number of more than `MAX_DIGITS` digits.
    """
    _check_depth(data, max_depth)
    try:
        return _DECODER.decode(data.decode())
    except UnicodeDecodeError as error:
        raise StrictJsonError(f"not UTF-8: {error.reason} at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"not JSON: {error}") from None
    except RecursionError:  # the caller stood deep in the stack already
        raise StrictJsonError("not JSON: nested too deeply") from None


def _check_depth(data: bytes, max_depth: int) -> None:
    if data.count(b"[") + data.count(b"{") <= max_depth:  # most messages; at the speed of memchr
        return
    depth = 0
    for token in _NESTING.finditer(data):
        first = data[token.start()]
        if first in b"[{":
            depth += 1
            if depth > max_depth:
                raise StrictJsonError(f"not JSON that is read here: over {max_depth} levels deep")
        elif first in b"]}":
            depth -= 1


def _integer(text: str) -> int:
    return int(_bounded(text))


def _float(text: str) -> float:
    return float(_bounded(text))


def _bounded(text: str) -> str:
    if len(text) > MAX_DIGITS:
        raise StrictJsonError(f"the number {text[:_SHOWN]}… has over {MAX_DIGITS} digits")
    return text


_DECODER = json.JSONDecoder(parse_int=_integer, parse_float=_float)
