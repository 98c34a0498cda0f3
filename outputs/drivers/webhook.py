"""Results to an HTTP server, signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
import time
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import httpx

from linewatch.errors import ConfigurationError
from outputs.drivers.webhook_options import WebhookOptions
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from outputs.result import Result
from outputs.secrets import secret

_SHORTEST_KEY = 16  # bytes


class WebhookDriver:
    """A POST a batch. Any answer of 2xx takes all of it; a redirect is not followed."""

    def __init__(self, options: WebhookOptions, place: Place) -> None:
        self._options = options
        self._key = secret(options.secret_file, options.name)
        if len(self._key) < _SHORTEST_KEY:
            raise ConfigurationError(
                f"receiver {options.name!r}: the secret {options.secret_file} has fewer than "
                f"{_SHORTEST_KEY} bytes; make one with `openssl rand -hex 32`"
            )
        try:
            context = ssl.create_default_context(cafile=options.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"receiver {options.name!r}: ca_file {options.ca_file} cannot be used: {error}"
            ) from None
        self._client = httpx.Client(
            verify=context,
            timeout=options.ack_timeout_s,
            follow_redirects=False,
            trust_env=False,  # no proxy, no .netrc of whoever starts us
        )
        self.batch = options.most

    def deliver(self, results: Sequence[Result]) -> None:
        """Post them in one request."""
        body = json.dumps({"version": 1, "results": [r.as_json() for r in results]}).encode()
        # Of what it holds: the same results have the same id, however often they come.
        id_ = str(uuid5(NAMESPACE_URL, "\n".join(str(result.id) for result in results)))
        self._post(body, id_)

    def probe(self) -> str:
        """Post no result."""
        body = json.dumps({"version": 1, "results": []}).encode()
        self._post(body, str(uuid5(NAMESPACE_URL, "probe")))
        return f"{self._where} takes what we sign"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @property
    def _where(self) -> str:
        """Without the query, which may hold a token."""
        parts = urlsplit(self._options.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    def _post(self, body: bytes, id_: str) -> None:
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "linewatch",
            "Linewatch-Id": id_,
            "Linewatch-Timestamp": timestamp,
            "Linewatch-Signature": f"v1={signature(self._key, timestamp, id_, body)}",
        }
        try:
            # What it answers besides its status is not read: it may have no end.
            url = self._options.url
            with self._client.stream("POST", url, content=body, headers=headers) as answer:
                status = answer.status_code
        except httpx.TimeoutException:
            limit_s = self._options.ack_timeout_s
            raise ReceiverAwayError(f"{self._where}: no answer within {limit_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ReceiverAwayError(f"{self._where}: {error}") from None
        if 300 <= status < 400:
            raise ReceiverAwayError(
                f"{self._where}: answers {status}, a redirect, which is not followed; "
                "configure the URL that it leads to"
            )
        if not 200 <= status < 300:
            raise ReceiverAwayError(f"{self._where}: answers {status}; see its log")


def signature(key: bytes, timestamp: str, id_: str, body: bytes) -> str:
    """HMAC-SHA256 over `timestamp.id.body`, in hex."""
    signed = b".".join((timestamp.encode(), id_.encode(), body))
    return hmac.new(key, signed, hashlib.sha256).hexdigest()
