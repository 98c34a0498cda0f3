"""Certificates for OPC UA, made anew, and the NodeSet of OPC 40100-1 where it is."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def write_certificate(folder: Path, name: str, uri: str, *, days: int = 30) -> tuple[Path, Path]:
    """Write a self-signed certificate (DER) and its key (PEM).

    Returns:
        Their paths, `<name>.der` and `<name>.pem`.
    """
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=60))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    files = folder / f"{name}.der", folder / f"{name}.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.DER))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def nodeset() -> Path:
    """The OPC Foundation's NodeSet of machine vision; skips where it is missing."""
    folders = [Path(os.environ.get("LINEWATCH_TEST_DATA", "/nowhere"))]
    folders += [parent / "shared" / "data" for parent in Path(__file__).resolve().parents]
    for folder in folders:
        file = folder / "opc-40100" / "Opc.Ua.MachineVision.NodeSet2.xml"
        if file.is_file():
            return file
    pytest.skip("no NodeSet of OPC 40100-1; name its folder's folder in LINEWATCH_TEST_DATA")
