"""TLS failures in the words of Go's crypto/tls and crypto/x509.

OpenSSL says what was wrong with a certificate, but not which one it was. To name its dates and names as Go does, a
failed handshake is looked at once more, over a second connection to the same address that sends no request.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from typing import TYPE_CHECKING, Any

from kubetrace.wire.go_quote import quote

if TYPE_CHECKING:
    from kubetrace.transport.recording import Recording

SECOND_LOOK_SECONDS = 2.0
NAMES_SHOWN = 100
FAILED = "tls: failed to verify certificate: "
UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"

_BY_CODE = {
    9: "x509: certificate has expired or is not yet valid",
    10: "x509: certificate has expired or is not yet valid",
    24: "x509: certificate is not authorized to sign other certificates",
    25: "x509: too many intermediates for path length constraint",
    26: "x509: certificate specifies an incompatible key usage",
}
_NAME_CODES = (62, 64)

_ALERTS = {
    "CLOSE_NOTIFY": "close notify",
    "UNEXPECTED_MESSAGE": "unexpected message",
    "BAD_RECORD_MAC": "bad record MAC",
    "HANDSHAKE_FAILURE": "handshake failure",
    "BAD_CERTIFICATE": "bad certificate",
    "UNSUPPORTED_CERTIFICATE": "unsupported certificate",
    "CERTIFICATE_REVOKED": "revoked certificate",
    "CERTIFICATE_EXPIRED": "expired certificate",
    "CERTIFICATE_UNKNOWN": "unknown certificate",
    "ILLEGAL_PARAMETER": "illegal parameter",
    "UNKNOWN_CA": "unknown certificate authority",
    "ACCESS_DENIED": "access denied",
    "DECODE_ERROR": "error decoding message",
    "DECRYPT_ERROR": "error decrypting message",
    "PROTOCOL_VERSION": "protocol version not supported",
    "INSUFFICIENT_SECURITY": "insufficient security level",
    "INTERNAL_ERROR": "internal error",
    "USER_CANCELLED": "user canceled",
    "UNRECOGNIZED_NAME": "unrecognized name",
    "CERTIFICATE_REQUIRED": "certificate required",
    "NO_APPLICATION_PROTOCOL": "no application protocol",
}


def tls_words(error: ssl.SSLError, recording: Recording) -> str:
    """What Go says about a handshake that failed for another reason than the certificate."""
    reason = error.reason or ""
    alert = reason.partition("ALERT_")[2] or reason.partition("TLSV1_")[2]
    if alert in _ALERTS:
        return f"remote error: tls: {_ALERTS[alert]}"
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
        return "http: server gave HTTP response to HTTPS client"
    if reason == "UNSUPPORTED_PROTOCOL":
        return "tls: server selected unsupported protocol version"
    return f"tls: {reason.replace('_', ' ').lower() or error}"


def certificate_words(error: ssl.SSLCertVerificationError, recording: Recording) -> str:
    """What Go says about a server certificate that did not verify. Go looks at the dates first, then at the name,
    then for an authority (x509.Certificate.Verify)."""
    peer = recording.peer
    certificate = peer.certificate() if peer is not None else None
    if peer is not None and certificate is not None:
        said = _date_words(certificate) or _name_words(certificate, peer.name) or None
        if said is None and error.verify_code not in (*_BY_CODE, *_NAME_CODES):
            said = UNKNOWN_AUTHORITY + _candidate_words(certificate, peer.context)
        if said is not None:
            return FAILED + said
    if error.verify_code in _NAME_CODES and peer is not None:
        return f"{FAILED}x509: certificate is not valid for any names, but wanted to match {peer.name}"
    return FAILED + _BY_CODE.get(error.verify_code, UNKNOWN_AUTHORITY)


class Peer:
    """The server end of a handshake: where it was, which name it had to prove, and the context that judged it."""

    def __init__(self, address: tuple[Any, ...] | None, name: str, context: ssl.SSLContext | None) -> None:
        self._address = address
        self.name = name
        self.context = context

    def certificate(self) -> Any:
        """The server's own certificate (`cryptography.x509.Certificate`), fetched again without judging it; None
        where that fails or the server is behind a proxy."""
        if self._address is None:
            return None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with (
                socket.create_connection(self._address[:2], SECOND_LOOK_SECONDS) as plain,
                context.wrap_socket(plain, server_hostname=self.name) as secure,
            ):
                der = secure.getpeercert(binary_form=True)
        except (OSError, ValueError):
            return None
        from cryptography import x509

        try:
            return x509.load_der_x509_certificate(der or b"")
        except ValueError:
            return None


def _date_words(certificate: Any) -> str:
    now = datetime.datetime.now(datetime.UTC)
    if now > certificate.not_valid_after_utc:
        relation, limit = "after", certificate.not_valid_after_utc
    elif now < certificate.not_valid_before_utc:
        relation, limit = "before", certificate.not_valid_before_utc
    else:
        return ""
    return f"{_BY_CODE[10]}: current time {_rfc3339(now.astimezone())} is {relation} {_rfc3339(limit)}"


def _rfc3339(moment: datetime.datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _name_words(certificate: Any, name: str) -> str:
    """Empty where the name is one of the certificate's (x509.HostnameError)."""
    dns, addresses, has_names = _subject_names(certificate)
    try:
        wanted = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return _dns_words(certificate, name, dns, has_names)
    if wanted in addresses:
        return ""
    if not addresses:
        return f"x509: cannot validate certificate for {name} because it doesn't contain any IP SANs"
    if len(addresses) >= NAMES_SHOWN:
        return f"x509: certificate is valid for {len(addresses)} IP SANs, but none matched {name}"
    return f"x509: certificate is valid for {', '.join(map(str, addresses))}, not {name}"


def _dns_words(certificate: Any, name: str, dns: list[str], has_names: bool) -> str:
    host = name.lower().rstrip(".")
    if any(_matches(pattern.lower().rstrip("."), host) for pattern in dns):
        return ""
    if not has_names and _matches(_common_name(certificate.subject).lower(), host):
        return "x509: certificate relies on legacy Common Name field, use SANs instead"
    if len(dns) >= NAMES_SHOWN:
        return f"x509: certificate is valid for {len(dns)} names, but none matched {name}"
    if not dns:
        return f"x509: certificate is not valid for any names, but wanted to match {name}"
    return f"x509: certificate is valid for {', '.join(dns)}, not {name}"


def _matches(pattern: str, host: str) -> bool:
    if pattern.startswith("*."):
        return "." in host and host.partition(".")[2] == pattern[2:]
    return bool(pattern) and pattern == host


def _subject_names(certificate: Any) -> tuple[list[str], list[Any], bool]:
    from cryptography import x509

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return [], [], False
    return names.get_values_for_type(x509.DNSName), names.get_values_for_type(x509.IPAddress), True


def _common_name(subject: Any) -> str:
    from cryptography.x509.oid import NameOID

    names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""


def _candidate_words(certificate: Any, context: ssl.SSLContext | None) -> str:
    """Go's hint where an authority of the right name did not sign the certificate: the cluster was made anew."""
    from cryptography import exceptions, x509

    issuer = certificate.issuer.public_bytes()
    for der in context.get_ca_certs(binary_form=True) if context is not None else ():
        if issuer not in der:  # spares the parsing of a whole system's roots
            continue
        authority = x509.load_der_x509_certificate(der)
        try:
            certificate.verify_directly_issued_by(authority)
        except (exceptions.InvalidSignature, TypeError, ValueError):
            why, who = quote(_verification_error(authority).encode()), quote(_authority_name(authority).encode())
            return f" (possibly because of {why} while trying to verify candidate authority certificate {who})"
    return ""


def _verification_error(authority: Any) -> str:
    kind = type(authority.public_key()).__name__
    if "RSA" in kind:
        return "crypto/rsa: verification error"
    return f"x509: {'Ed25519' if 'Ed25519' in kind else 'ECDSA'} verification failure"


def _authority_name(authority: Any) -> str:
    from cryptography.x509.oid import NameOID

    organizations = authority.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if name := _common_name(authority.subject):
        return name
    return str(organizations[0].value) if organizations else f"serial:{authority.serial_number}"
