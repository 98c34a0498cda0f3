"""Secrets taken out of what is shown: whatever a program tells others about itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from pydantic import SecretStr

from linewatch.settings import Settings

HIDDEN = "********"
_SHORTEST = 4  # characters: what is shorter is in half of all words, and anybody's guess
_USER_INFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)(?:([^/?#]*)@)?")


def secrets_of(settings: Settings) -> frozenset[str]:
    """Every secret of these settings: in fields of their own, and in URLs."""
    return frozenset(s for s in _secrets(settings) if len(s) >= _SHORTEST)


def redactor(settings: Settings) -> Callable[[Any], Any]:
    """What puts stars for the secrets of these settings, in text or in any JSON."""
    forms = {form for secret in secrets_of(settings) for form in _forms(secret)}
    if not forms:
        return lambda value: value
    longest_first = sorted(forms, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))

    def redact(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(HIDDEN, value)
        if isinstance(value, Mapping):
            return {redact(name): redact(item) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [redact(item) for item in value]
        return value

    return redact


def _secrets(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            text = value.get_secret_value()
            yield text.strip()
            for pair in re.split(r"[,\s]+", text):  # id:secret, user:password
                yield pair.partition(":")[2]
        elif name.endswith("_url") and isinstance(value, str):
            yield from _secrets_of_url(value)


def _secrets_of_url(url: str) -> Iterator[str]:
    found = _USER_INFO.match(url)
    if found is not None and found.group(2):
        yield unquote(found.group(2).partition(":")[2])
    for option in re.split(r"[?&]", url)[1:]:
        name, _, value = option.partition("=")
        if re.search("pass|secret|token|key", name, re.IGNORECASE):
            yield unquote(value)


def _forms(secret: str) -> Iterator[str]:
    """How a secret may be written: by itself, in a URL, within Python's or JSON's quotes."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(f"{secret}'\"")[1:-4]  # as in a text with quotes of both kinds
    yield quote(secret)
    yield quote(secret, safe="")
    yield quote_plus(secret)
