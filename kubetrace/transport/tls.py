"""One SSLContext from a connection's settings: whom to trust, and the client certificate to show.

Follows client-go's transport.TLSConfigFor. The context trusts the kubeconfig's CA and nothing else, or the system's
roots where the kubeconfig names none; certifi's bundle never comes in.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from pathlib import Path

from kubetrace.errors import read_words
from kubetrace.kubeconfig.connection import Connection
from kubetrace.transport.errors import ConnectionConfigError


def make_context(connection: Connection, certificate: tuple[bytes, bytes] | None = None) -> ssl.SSLContext:
    """The context for a connection; `certificate` (PEM certificate, PEM key) replaces its own client certificate.
    Raises ConnectionConfigError with client-go's words."""
    authority = _data(connection.certificate_authority_data, connection.certificate_authority)
    if connection.insecure_skip_tls_verify and _has_authority(connection):
        raise ConnectionConfigError("specifying a root certificates file with the insecure flag is not allowed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    context.hostname_checks_common_name = False
    if connection.insecure_skip_tls_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif _has_authority(connection):
        _trust(context, authority)
    else:
        context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    _present(context, connection, certificate)
    return context


def _has_authority(connection: Connection) -> bool:
    return bool(connection.certificate_authority_data or connection.certificate_authority)


def _trust(context: ssl.SSLContext, authority: bytes) -> None:
    if not authority:
        return  # an empty file trusts nobody (ClientsAllowCARotation, transport.rootCertPool)
    try:
        context.load_verify_locations(cadata=authority.decode("ascii", "replace"))
    except ssl.SSLError as error:
        raise ConnectionConfigError(f"unable to load root certificates: {_unparsed(authority)}") from error


def _unparsed(authority: bytes) -> str:
    """client-go's guess at why no certificate was found (transport.createErrorParsingCAData)."""
    if b"-----BEGIN " not in authority:
        return "unable to parse bytes as PEM block"
    if b"-----BEGIN CERTIFICATE-----" in authority:
        return "failed to parse certificate: x509: malformed certificate"
    return "no valid certificate authority data seen"


def _present(context: ssl.SSLContext, connection: Connection, certificate: tuple[bytes, bytes] | None) -> None:
    if certificate is None:
        certificate = client_certificate(connection)
    if certificate is None:
        return
    try:
        with _private_files(*certificate) as (cert_file, key_file):
            context.load_cert_chain(cert_file, key_file)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise ConnectionConfigError(_key_pair_words(error, *certificate)) from error


def client_certificate(connection: Connection) -> tuple[bytes, bytes] | None:
    """The client certificate and key (PEM), from data or files; None where the connection has none."""
    certificate = _data(connection.client_certificate_data, connection.client_certificate)
    key = _data(connection.client_key_data, connection.client_key)
    return (certificate, key) if certificate or key else None


def _data(data: bytes, file: str) -> bytes:
    if data or not file:
        return data
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConnectionConfigError(read_words(file, error)) from error


@contextlib.contextmanager
def _private_files(certificate: bytes, key: bytes):  # type: ignore[no-untyped-def]
    """The pair in a directory of our own (0700) for as long as OpenSSL reads it: Python has no call that takes a
    private key from memory."""
    with tempfile.TemporaryDirectory(prefix="kubetrace-") as folder:
        names = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        for name, content in zip(names, (certificate, key), strict=True):
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
        yield names


def _key_pair_words(error: Exception, certificate: bytes, key: bytes) -> str:
    """What Go's tls.X509KeyPair says about such a pair."""
    if b"-----BEGIN CERTIFICATE-----" not in certificate:
        return (
            "tls: failed to find any PEM data in certificate input"
            if b"-----BEGIN " not in certificate
            else (
                "tls: failed to find certificate PEM data in certificate input, but did find a private key; "
                "PEM inputs may have been switched"
            )
        )
    if b"PRIVATE KEY-----" not in key:
        return "tls: failed to find any PEM data in key input"
    if "KEY_VALUES_MISMATCH" in str(error) or "key values mismatch" in str(error):
        return "tls: private key does not match public key"
    return "tls: failed to parse private key"
