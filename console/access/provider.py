"""The OpenID provider: where it sends people, and who it says came back (Authlib)."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import OAuth2Client, oauth2_client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from linewatch.errors import LinewatchError
from linewatch.settings import Settings

_TIMEOUT_S = 10.0
# Authlib's client stands on httpx2 where that is installed, else on httpx.
_SILENT = (httpx.HTTPError, oauth2_client.httpx2.HTTPError)
_LEEWAY_S = 120
_FRESH_S = 300  # how long ago a person may have signed in at the provider for a signature
# Never `none`, never a shared secret: only the provider can have signed.
_SIGNED_WITH = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"})
_RANK = ("viewer", "inspector", "engineer", "admin")


class ProviderError(LinewatchError):
    """The OpenID provider cannot be asked."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A person on the way to the provider: what must come back with them.

    Attributes:
        address: where the browser goes.
        state: ties the answer to this browser.
        nonce: ties the identity to this departure.
        verifier: proves that who redeems the code is who asked for it (PKCE, RFC 7636).
    """

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who came back.

    Attributes:
        subject: "issuer subject", the only lasting name.
        name: for people.
        role: the highest of their groups; None: they are in none that may come in.
    """

    subject: str
    name: str
    role: str | None


class Provider:
    """The provider that the settings name. Its metadata and keys are asked for once.

    Safe to share between threads.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] | None = None
        self._keys: KeySet | None = None

    def depart(self, callback: str, *, again: bool) -> Departure:
        """Send a person there.

        Args:
            callback: the address that the provider sends them back to.
            again: have them show who they are, even if they are signed in there.

        Raises:
            ProviderError: it cannot be asked.
        """
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        extra = {"prompt": "login", "max_age": "0"} if again else {}
        with self._client(callback) as client:
            address, state = client.create_authorization_url(
                self._known("authorization_endpoint"), code_verifier=verifier, nonce=nonce, **extra
            )
        return Departure(address, state, nonce, verifier)

    def arrive(self, code: str, callback: str, gone: Departure, *, again: bool) -> Identity:
        """Who came back with `code`.

        Raises:
            ProviderError: it cannot be asked, or what it says does not hold.
        """
        try:
            with self._client(callback) as client:
                token = client.fetch_token(
                    self._known("token_endpoint"),
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=gone.verifier,
                )
            claims = self._claims(token, gone.nonce)
        except (OAuthError, JoseError, ValueError, KeyError) as error:
            raise ProviderError(f"the provider's answer does not hold: {error!s:.200}") from None
        except _SILENT as error:
            raise self._silent(error) from None
        signed_in_at = claims.get("auth_time", 0)
        if again and time.time() - signed_in_at > _FRESH_S + _LEEWAY_S:
            raise ProviderError("the provider did not ask you again who you are")
        return self._identity(claims)

    def _client(self, callback: str) -> Any:
        secret = self._settings.oidc_client_secret.get_secret_value() or None
        return OAuth2Client(
            client_id=self._settings.oidc_client_id,
            client_secret=secret,
            token_endpoint_auth_method="client_secret_basic" if secret else "none",
            scope=self._settings.oidc_scopes,
            redirect_uri=callback,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
        )

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """The identity token's claims, checked as OpenID Connect Core 3.1.3.7 asks for."""
        said = self._known("id_token_signing_alg_values_supported")
        registry = JWSRegistry(
            algorithms=sorted(_SIGNED_WITH.intersection(said)), strict_check_header=False
        )
        try:
            decoded = jwt.decode(token["id_token"], self._key_set(), registry=registry)
        except InvalidKeyIdError:  # it has changed its keys
            decoded = jwt.decode(token["id_token"], self._key_set(anew=True), registry=registry)
        claims = CodeIDToken(
            decoded.claims,
            decoded.header,
            {
                "iss": {"essential": True, "value": self._known("issuer")},
                "sub": {"essential": True},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
                "exp": {"essential": True},
            },
            {"nonce": nonce, "client_id": self._settings.oidc_client_id},
        )
        claims.validate(leeway=_LEEWAY_S)
        return dict(claims)

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        settings = self._settings
        name = str(claims.get(settings.oidc_name_claim) or claims["sub"])
        groups = claims.get(settings.oidc_groups_claim) or ()
        names = {groups} if isinstance(groups, str) else {str(group) for group in groups}
        roles = [role for group, role in settings.roles_of_groups.items() if group in names]
        highest = max(roles, key=_RANK.index, default=None)
        return Identity(f"{claims['iss']} {claims['sub']}", name, highest)

    def _known(self, name: str) -> Any:
        """What the provider says of itself."""
        with self._lock:
            if self._metadata is None:
                base = self._settings.oidc_issuer.rstrip("/")
                found = self._asked(f"{base}/.well-known/openid-configuration")
                if str(found.get("issuer", "")).rstrip("/") != base:
                    raise ProviderError(
                        f"the provider calls itself {found.get('issuer')!r:.200}, "
                        f"not {base}; mend LINEWATCH_OIDC_ISSUER"
                    )
                self._metadata = found
            if name not in self._metadata:
                raise ProviderError(f"the provider does not say its {name}")
            return self._metadata[name]

    def _key_set(self, *, anew: bool = False) -> KeySet:
        address = self._known("jwks_uri")
        with self._lock:
            if self._keys is None or anew:
                self._keys = KeySet.import_key_set(self._asked(address))  # type: ignore[arg-type]
            return self._keys

    def _asked(self, address: str) -> dict[str, Any]:
        try:
            answer = httpx.get(address, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise self._silent(error) from None
        return found

    def _silent(self, error: Exception) -> ProviderError:
        where = self._settings.oidc_issuer
        return ProviderError(f"the OpenID provider {where} cannot be asked: {error!s:.200}")
