"""Does a private key belong to a certificate? In the words of Go's crypto/tls (X509KeyPair)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from kubetrace.errors import KubetraceError

_BLOCK = re.compile(
    rb"(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n((?:[^\n]*:[^\n]*\n)*)([^:-]*?)-----END \1-----[ \t\r]*(?=\n|$)"
)
Block = tuple[str, bytes]


def check_key_pair(certificate: bytes, key: bytes) -> None:
    """Both are PEM. Raises KubetraceError where they are not, or do not fit."""
    first = _certificate(list(_blocks(certificate)))
    private = _private_key(list(_blocks(key)))
    public = _parsed_certificate(first).public_key()
    found = _parsed_key(private)
    if type(found.public_key()) is not type(public):
        raise KubetraceError("tls: private key type does not match public key type")
    if _encoded(found.public_key()) != _encoded(public):
        raise KubetraceError("tls: private key does not match public key")


def _blocks(data: bytes) -> Iterator[Block]:
    """The PEM blocks of a text, decoded; broken ones are passed over."""
    for match in _BLOCK.finditer(data):
        try:
            yield match.group(1).decode("latin-1"), base64.b64decode(b"".join(match.group(3).split()), validate=True)
        except binascii.Error:
            continue


def _certificate(blocks: list[Block]) -> bytes:
    found = [data for kind, data in blocks if kind == "CERTIFICATE"]
    if found:
        return found[0]
    others = [kind for kind, _ in blocks]
    if not others:
        raise KubetraceError("tls: failed to find any PEM data in certificate input")
    if len(others) == 1 and others[0].endswith("PRIVATE KEY"):
        raise KubetraceError(
            "tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may "
            "have been switched"
        )
    raise KubetraceError(
        'tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following '
        f"types: [{' '.join(others)}]"
    )


def _private_key(blocks: list[Block]) -> bytes:
    others = []
    for kind, data in blocks:
        if kind == "PRIVATE KEY" or kind.endswith(" PRIVATE KEY"):
            return data
        others.append(kind)
    if not others:
        raise KubetraceError("tls: failed to find any PEM data in key input")
    if others == ["CERTIFICATE"]:
        raise KubetraceError("tls: found a certificate rather than a key in the PEM for the private key")
    raise KubetraceError(
        'tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the '
        f"following types: [{' '.join(others)}]"
    )


def _parsed_certificate(der: bytes) -> Any:
    from cryptography import x509

    try:
        return x509.load_der_x509_certificate(der)
    except ValueError:
        raise KubetraceError("x509: malformed certificate") from None


def _parsed_key(der: bytes) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        return load_der_private_key(der, password=None)
    except (TypeError, ValueError, UnsupportedAlgorithm):
        raise KubetraceError("tls: failed to parse private key") from None


def _encoded(public: Any) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    found: bytes = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found
