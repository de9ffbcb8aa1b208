"""The table of the libraries' exceptions is whole, and every one of them comes out as one line."""

from __future__ import annotations

import http.client
import socket
import ssl

import pytest
import requests.exceptions
import urllib3.exceptions

from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Request
from kubetrace.transport.errors import TransportError, without_password
from kubetrace.transport.failures import KINDS, translate
from kubetrace.transport.recording import Recording


def exception_types(module: object, root: type[BaseException]) -> list[type[BaseException]]:
    members = vars(module).values()
    found = {member for member in members if isinstance(member, type) and issubclass(member, root)}
    return sorted((each for each in found if not issubclass(each, Warning)), key=lambda each: each.__name__)


@pytest.mark.parametrize(
    "kind",
    exception_types(requests.exceptions, requests.exceptions.RequestException)
    + exception_types(urllib3.exceptions, urllib3.exceptions.HTTPError),
)
def test_every_exception_of_requests_and_urllib3_is_in_the_table(kind: type[BaseException]) -> None:
    assert kind in KINDS, f"{kind.__module__}.{kind.__name__} is new: say in failures.KINDS what it means"


def recording() -> Recording:
    return Recording(Request("GET", "https://user:secret@host/x"), Events(), call=1)


@pytest.mark.parametrize(
    ("error", "reason", "kind"),
    [
        (requests.exceptions.ConnectionError("odd"), "odd", "dial"),
        (requests.exceptions.InvalidURL("no host"), "no host", "config"),
        (urllib3.exceptions.ClosedPoolError(None, "Pool is closed."), "None: Pool is closed.", "protocol"),  # type: ignore[arg-type]
        (ConnectionResetError(104, "x"), "read tcp 127.0.0.1:1->127.0.0.1:2: read: connection reset by peer", "reset"),
        (http.client.RemoteDisconnected("x"), "EOF", "eof"),
        (http.client.IncompleteRead(b""), "unexpected EOF", "eof"),
        (ssl.SSLEOFError(), "EOF", "eof"),
        (socket.gaierror(-2, "Name or service not known"), "dial tcp: lookup host", "dns"),
        (RuntimeError("surprise"), "surprise", "protocol"),
    ],
)
def test_translations(error: Exception, reason: str, kind: str) -> None:
    one = recording()
    one.local, one.address, one.phase = "127.0.0.1:1", "127.0.0.1:2", "headers"
    translated = translate(error, one)
    assert reason in translated.reason and translated.kind == kind
    assert "secret" not in str(translated)


@pytest.mark.parametrize(
    "alert", ["TLSV13_ALERT_CERTIFICATE_REQUIRED", "TLSV1_ALERT_UNKNOWN_CA", "SSLV3_ALERT_BAD_CERTIFICATE"]
)
def test_alerts(alert: str) -> None:
    error = ssl.SSLError(1, "x")
    error.reason = alert
    assert translate(error, recording()).reason.startswith("remote error: tls: ")


def test_url_error_texts() -> None:
    error = TransportError("DELETE", "https://h:1/x", "EOF", "eof")
    assert str(error) == 'Delete "https://h:1/x": EOF'
    assert error.lines() == ["Unable to connect to the server: EOF"]
    assert error.after(None) is error
    later = TransportError("DELETE", "https://h:1/x", "other", "eof").after(error)
    assert later.lines() == ['error: Delete "https://h:1/x": other - error from a previous attempt: EOF']


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h/x", "https://u:***@h/x"),
        ("https://u@h/x", "https://u@h/x"),
        ("https://h/x@y:z", "https://h/x@y:z"),
        ("/x", "/x"),
    ],
)
def test_passwords_in_urls_are_not_told(url: str, shown: str) -> None:
    assert without_password(url) == shown
