"""Certificates and keys that are made for one run of the tests."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Certificate:
    """Files of a certificate for this machine, and of the authority that a client trusts."""

    certificate: Path
    key: Path
    authority: Path


def certificate(folder: Path) -> Certificate:
    """A certificate for 127.0.0.1, in files of this folder."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = _name("Persist's tests"), _name("127.0.0.1")
    root = _begin(root_name, root_name, root_key).add_extension(
        x509.BasicConstraints(ca=True, path_length=None), critical=True
    )
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    leaf = _begin(name, root_name, key).add_extension(
        x509.SubjectAlternativeName([address]), critical=False
    )
    files = Certificate(folder / "cert.pem", folder / "key.pem", folder / "authority.pem")
    for path, made in ((files.certificate, leaf), (files.authority, root)):
        signed = made.sign(root_key, hashes.SHA256())
        path.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(_pem(key))
    return files


def service_account(key: rsa.RSAPrivateKey | None = None) -> dict[str, str]:
    """The file of a Google service account, as its console gives it."""
    key = key or rsa.generate_private_key(65537, 2048)
    return {
        "type": "service_account",
        "client_email": "persist@project.iam.gserviceaccount.com",
        "private_key_id": "key-1",
        "private_key": _pem(key).decode(),
        "token_uri": "https://oauth2.googleapis.com/token",
    }


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _begin(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
