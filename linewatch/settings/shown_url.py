"""A URL as people may see it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

HIDDEN = "(hidden)"
_HOST = re.compile(r"[\w.-]*(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
_PATH = re.compile(r"[\w./-]*")


def without_secrets(url: str) -> str:
    """A URL's scheme, host and path; where it cannot be taken apart for certain, its scheme.

    Text that is no URL, such as a path, stays as it is.

    >>> without_secrets("postgresql://worker:word@db:5432/linewatch?password=word")
    'postgresql://db:5432/linewatch'
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme == "sqlite":
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{scheme}://{HIDDEN}"
    host = parts.netloc.rpartition("@")[2]
    certain = rest.count("@") <= 1 and _HOST.fullmatch(host) and _PATH.fullmatch(parts.path)
    return f"{scheme}://{host}{parts.path}" if certain else f"{scheme}://{HIDDEN}"
