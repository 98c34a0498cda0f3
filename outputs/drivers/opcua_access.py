"""Who may use the OPC UA server, and by which proof.

asyncua 2.1 accepts a channel without security whatever policies are set, for clients that ask for
the endpoints; so what a session is activated over is checked here, for every kind of sign-in.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from outputs.drivers import opcua_files as files
from outputs.drivers.opcua_options import OpcuaOptions
from outputs.secrets import secret_text

logger = logging.getLogger(__name__)

_COPIES = "asyncua.common.copy_node_util"

MAX_CONNECTIONS = 32
MAX_MESSAGE_BYTES = 4 * 2**20  # asyncua would gather 100 MiB of a client that has not signed in

ENCRYPTED = [
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
]


class Users:
    """Decides on a sign-in; asyncua asks it once the proof's signature has been verified."""

    def __init__(self, options: OpcuaOptions) -> None:
        self._options = options
        self._password = options.password_file and secret_text(options.password_file)

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: bytes | None = None,
    ) -> User | None:
        """The user, or None who may not sign in."""
        options = self._options
        if options.anonymous:
            return User(role=UserRole.User, name="anonymous")
        if username is not None and options.user is not None and self._password:
            right = hmac.compare_digest((password or "").encode(), self._password.encode())
            named = hmac.compare_digest(username.encode(), options.user.encode())
            return User(role=UserRole.User, name=options.user) if right and named else None
        folder = options.user_certificates
        if username is None and folder and certificate and files.listed(folder, certificate):
            return User(role=UserRole.User, name="certificate")
        return None


class _Session(InternalSession):  # type: ignore[misc]
    """A client's session; it is activated over a trusted, encrypted channel only."""

    iserver: _Guarded

    def activate_session(
        self, params: ua.ActivateSessionParameters, peer_certificate: bytes | None
    ) -> ua.ActivateSessionResult:
        """Refuse a channel that is open, or whose certificate is not trusted."""
        trusted = self.iserver.trusted
        if trusted is not None and not peer_certificate:
            logger.warning("OPC UA: a client without Sign & Encrypt was refused")
            raise ServiceError(ua.StatusCodes.BadSecurityModeRejected)
        if trusted is not None and not files.listed(trusted, peer_certificate or b""):
            logger.warning("OPC UA: a client whose certificate is not in %s was refused", trusted)
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)
        return super().activate_session(params, peer_certificate)


class _Guarded(InternalServer):  # type: ignore[misc]
    """A server whose sessions look at their channel."""

    def __init__(self, options: OpcuaOptions) -> None:
        super().__init__(user_manager=Users(options))
        self.trusted = options.trusted
        self.max_connections = MAX_CONNECTIONS

    def create_session(
        self, name: str, user: User | None = None, external: bool = False
    ) -> InternalSession:
        """Make a session of ours."""
        nobody = User(role=UserRole.Anonymous)
        spaces = (self.aspace, self.subscription_service)
        return _Session(self, *spaces, name, user=user or nobody, external=external)


def guarded_server(options: OpcuaOptions) -> Server:
    """A server with the sign-ins and policies of the options.

    Raises:
        ConfigurationError: a file that they name cannot be used.
    """
    tokens: list[Any] = [ua.AnonymousIdentityToken]
    if not options.anonymous:
        assert options.certificate
        assert options.private_key
        assert options.trusted
        files.check_own(options.certificate)
        files.check_key(options.private_key, options.certificate)
        for folder in filter(None, (options.trusted, options.user_certificates)):
            files.folder(folder)
        tokens = [ua.UserNameIdentityToken] if options.user else []
        tokens += [ua.X509IdentityToken] if options.user_certificates else []
    _quieten()
    server = Server(iserver=_Guarded(options))
    server.allow_remote_admin(False)
    server.limits.max_message_size = MAX_MESSAGE_BYTES
    server.limits.max_chunk_count = MAX_MESSAGE_BYTES // server.limits.max_recv_buffer + 1
    server.set_identity_tokens(tokens)
    server.set_security_policy(
        [ua.SecurityPolicyType.NoSecurity] if options.anonymous else ENCRYPTED
    )
    return server


def _quieten() -> None:
    """Leave out what asyncua logs of each request, and of types that it cannot copy in full."""
    for name, level in (("asyncua", logging.WARNING), (_COPIES, logging.ERROR)):
        logger_of = logging.getLogger(name)
        logger_of.setLevel(max(level, logger_of.level))
