"""What is wrong with a Redis URL, in a sentence that never holds the URL: it has a password.

redis-py and kombu both read the URL, each in its own way; what passes here means the same to both.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, parse_qsl, urlsplit

FORM = "write redis://user:password@host:6379/0 (rediss:// for TLS)"
ENCODE = (
    "percent-encode what is special in the user or password: @ is %40, / is %2F, : is %3A, "
    "# is %23, ? is %3F, [ is %5B, % is %25"
)
TLS_OPTIONS = (
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ca_certs",
    "ssl_certfile",
    "ssl_keyfile",
)
_SCHEMES = ("redis", "rediss")


def checked(url: str) -> str:
    """The URL without blanks around it.

    Raises:
        ValueError: it is not one that redis-py and kombu both understand; says what to write.
    """
    url = url.strip()
    problem = _problem(url) if url else None
    if problem is not None:
        raise ValueError(problem)
    return url


def _problem(url: str) -> str | None:
    if len(re.findall(r"[a-z+]+://", url, re.IGNORECASE)) > 1:
        return f"names several servers, but Linewatch talks to one; {FORM}"
    scheme, found, _rest = url.partition("://")
    if not found:
        return f"has no scheme; {FORM}"
    if scheme not in _SCHEMES:  # redis-py wants them in small letters
        return _wrong_scheme(scheme.lower())
    if re.search(r"[\s\x00-\x1f\x7f\"'<>\\^`{|}]", url):
        return f"holds a blank, quote or other character that no URL may hold raw; {ENCODE}"
    if re.search(r"%(?![0-9A-Fa-f]{2})", url):
        return f"holds a % that encodes nothing; {ENCODE}"
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # its words may hold the password
        return f"cannot be read; {ENCODE}"
    return _wrong_parts(parts, host)


def _wrong_scheme(scheme: str) -> str:
    name = scheme if re.fullmatch(r"[a-z][a-z0-9+.-]{0,20}", scheme) else ""
    if not name or "." in name:
        return f"does not begin with redis:// or rediss://; {FORM}"
    if "sentinel" in name:
        return f"is {name}://, but Sentinel is not supported: name the Redis itself; {FORM}"
    if "socket" in name or name == "unix":
        return (
            f"is {name}://, but only redis:// and rediss:// are supported; leave it empty for the "
            f"private Redis's socket, or {FORM}"
        )
    return f"is {name}://, but only redis:// and rediss:// are supported; {FORM}"


def _wrong_parts(parts: SplitResult, host: str) -> str | None:
    if parts.fragment or "#" in parts.geturl() or "@" in parts.path + parts.query:
        return f"cannot be taken apart: something special in it stands raw; {ENCODE}"
    if "," in parts.netloc.rpartition("@")[2] or ";" in parts.netloc.rpartition("@")[2]:
        return f"names several hosts, but Linewatch talks to one; {FORM}"
    if ";" in parts.netloc:  # where kombu would cut the password, and tell its rest as a host
        return f"has a raw ; in the user or password, which is %3B; {ENCODE}"
    if not host:
        return f"names no host; {FORM}"
    if not _port_is_one(parts):
        return f"has a port that is no number from 1 to 65535; {FORM}; {ENCODE}"
    if not re.fullmatch(r"/?\d{0,5}", parts.path):
        return f"has a database that is no number; {FORM}"
    return _wrong_query(parts)


def _port_is_one(parts: SplitResult) -> bool:
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False


def _wrong_query(parts: SplitResult) -> str | None:
    """kombu takes no others, and these only over TLS."""
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    allowed = TLS_OPTIONS if parts.scheme == "rediss" else ()
    strange = [name for name in names if name not in allowed]
    if not strange:
        return None
    shown = ", ".join(n for n in strange if re.fullmatch(r"[a-z_]{1,40}", n)) or "unnamed"
    return (
        f"has options after the ? that are not taken ({shown}); only rediss:// has any: "
        + ", ".join(TLS_OPTIONS)
    )
