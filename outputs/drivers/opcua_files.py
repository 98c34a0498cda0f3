"""The files behind OPC UA's security: certificates, keys, a password."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from linewatch.errors import ConfigurationError

MIN_KEY_BITS = 2048  # of RSA, as the policies of OPC UA 1.04 want it

logger = logging.getLogger(__name__)


def read_certificate(path: Path) -> x509.Certificate:
    """A certificate, DER or PEM.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        data = path.read_bytes()
        pem = data.lstrip().startswith(b"-----")
        return x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; a certificate is needed") from None
    except ValueError:
        raise ConfigurationError(f"{path} is no certificate in DER or PEM") from None


def check_own(path: Path) -> None:
    """Check this server's certificate before a client would.

    Raises:
        ConfigurationError: it has expired, is not valid yet, or its key is too short or not RSA.
    """
    certificate = read_certificate(path)
    if not valid(certificate):
        raise ConfigurationError(f"{path} is valid from {_days(certificate)}, not today; renew it")
    bits = getattr(certificate.public_key(), "key_size", 0)
    if bits < MIN_KEY_BITS or not hasattr(certificate.public_key(), "verify"):
        raise ConfigurationError(f"{path} has a key of {bits} bits; OPC UA wants RSA of 2048")


def check_key(path: Path, certificate: Path) -> None:
    """Check that a private key can be read and belongs to the certificate.

    Raises:
        ConfigurationError: it does not.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}; a private key is needed") from None
    except (ValueError, TypeError):
        raise ConfigurationError(f"{path} is no private key in PEM without a password") from None
    kind = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    own = read_certificate(certificate).public_key().public_bytes(*kind)
    if key.public_key().public_bytes(*kind) != own:
        raise ConfigurationError(f"{path} is not the key of {certificate}")


def folder(path: Path) -> Path:
    """A folder of certificates.

    Raises:
        ConfigurationError: there is none.
    """
    if not path.is_dir():
        raise ConfigurationError(f"{path} is no folder; put the clients' certificates into one")
    return path


def listed(path: Path, certificate: bytes) -> bool:
    """Whether a folder has exactly this certificate (DER), and it is valid today.

    Read anew each time: a certificate that is put there, or taken away, counts at once.
    """
    for file in sorted(path.iterdir()):
        if file.suffix.lower() not in (".der", ".cer", ".crt", ".pem"):
            continue
        try:
            known = read_certificate(file)
        except ConfigurationError as error:
            logger.warning("OPC UA: %s", error)
            continue
        if known.public_bytes(serialization.Encoding.DER) == certificate:
            return valid(known)
    return False


def valid(certificate: x509.Certificate) -> bool:
    """Whether today is within its dates."""
    now = datetime.now(UTC)
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _days(certificate: x509.Certificate) -> str:
    return (
        f"{certificate.not_valid_before_utc:%Y-%m-%d} to {certificate.not_valid_after_utc:%Y-%m-%d}"
    )
