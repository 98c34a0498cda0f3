"""Signed messages: HMAC-SHA256 over a message's canonical JSON. Pure; see `docs/protocol.md`.

A signature says that a holder of the key wrote this message. It does not say when: the same signed
message may come twice, which is harmless, because the ids in it are stored once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from linewatch.errors import ConfigurationError

MIN_SECRET_BYTES = 32
_KEY_ID = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


class Signature(BaseModel):
    """Which key signed the message, and the code that only its holders can make."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Annotated[str, StringConstraints(pattern=f"^{_KEY_ID}$")]
    mac: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys by their ids, newest first: the first signs, all of them verify.

    To rotate: add the new key in front of the old one, on the workers and then on the producers;
    take the old one away when no message signed with it can be under way any more.
    """

    secrets: Mapping[str, bytes] = field(default_factory=dict, repr=False)

    def __bool__(self) -> bool:
        return bool(self.secrets)

    @classmethod
    def parse(cls, text: str) -> SigningKeys:
        """Keys from `id:secret` pairs, one a line or separated by commas.

        Raises:
            ConfigurationError: a pair is malformed, an id comes twice, or a secret is short. The
                message shows no secret.
        """
        secrets: dict[str, bytes] = {}
        pairs = [pair for pair in re.split(r"[,\s]+", text) if pair]
        for place, pair in enumerate(pairs, start=1):
            id_, colon, secret = pair.partition(":")
            if not colon or not re.fullmatch(_KEY_ID, id_):
                raise _wrong(f"pair {place} is not id:secret")
            if len(secret.encode()) < MIN_SECRET_BYTES:
                raise _wrong(f"the secret of key {id_!r} is shorter than {MIN_SECRET_BYTES} bytes")
            if id_ in secrets:
                raise _wrong(f"key {id_!r} is there twice")
            secrets[id_] = secret.encode()
        return cls(secrets)

    def sign(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """`message` with the newest key's signature, or without any where there is no key."""
        unsigned = {name: value for name, value in message.items() if name != "signature"}
        if not self.secrets:
            return unsigned
        id_ = next(iter(self.secrets))
        return {**unsigned, "signature": {"key": id_, "mac": self._mac(id_, unsigned)}}

    def problem(self, message: Mapping[str, Any], *, required: bool) -> str | None:
        """Why the message cannot be trusted; None if it can.

        Without keys nothing is checked. With keys, a signature that is there must be good, and
        `required` says whether it must be there.
        """
        if not self.secrets:
            return None
        if message.get("signature") is None:
            return "the message is not signed" if required else None
        signature = message["signature"]
        id_ = signature.get("key") if isinstance(signature, Mapping) else None
        mac = signature.get("mac") if isinstance(signature, Mapping) else None
        if not isinstance(id_, str) or id_ not in self.secrets:
            return "the message is signed with a key that this worker does not know"
        try:
            expected = self._mac(id_, message)
        except (ValueError, TypeError, RecursionError):
            return "the message has no canonical form to be signed"
        # A lone surrogate could not be encoded, and no mac has a letter beyond ASCII.
        good = isinstance(mac, str) and mac.isascii() and hmac.compare_digest(mac, expected)
        return None if good else f"the signature is not that of key {id_!r}"

    def _mac(self, id_: str, message: Mapping[str, Any]) -> str:
        return hmac.new(self.secrets[id_], canonical(message), hashlib.sha256).hexdigest()


def canonical(message: Mapping[str, Any]) -> bytes:
    r"""The bytes that are signed: the message's JSON without its `signature`.

    Keys sorted, no spaces, and every character outside ASCII as `\uXXXX` (lower case, surrogate
    pairs): what `jq -cSaj 'del(.signature)'` prints.

    Raises:
        ValueError: it holds NaN or an infinity, which JSON does not know.
    """
    unsigned = {name: value for name, value in message.items() if name != "signature"}
    text = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def _wrong(what: str) -> ConfigurationError:
    return ConfigurationError(
        f"LINEWATCH_SIGNING_KEYS: {what}; write id:secret pairs, newest first, with secrets such "
        "as `openssl rand -hex 32` makes"
    )
