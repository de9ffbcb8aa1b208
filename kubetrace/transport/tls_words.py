"""TLS failures in the words of Go's crypto/tls and crypto/x509."""

from __future__ import annotations

import ssl

from kubetrace.transport.recording import Recording

UNKNOWN_AUTHORITY = "x509: certificate signed by unknown authority"


def certificate_words(error: ssl.SSLCertVerificationError, recording: Recording) -> str:
    """What Go says about a server certificate that did not verify."""
    return f"tls: failed to verify certificate: {UNKNOWN_AUTHORITY}"


def tls_words(error: ssl.SSLError, recording: Recording) -> str:
    """What Go says about a handshake that failed."""
    return str(error)
