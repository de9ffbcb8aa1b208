"""Trust, client certificates and names, judged by real handshakes; words as the real kubectl 1.36.3 printed them."""

# ruff: noqa: SIM117, E501
from __future__ import annotations

import datetime
import ipaddress
import os
import re
import ssl
import tempfile
from pathlib import Path

import pytest

from kubetrace.kubeconfig.connection import Connection
from kubetrace.transport.call import Call
from kubetrace.transport.errors import ConnectionConfigError, TransportError
from kubetrace.transport.tls import make_context
from tests.transport.scripted import Authority, ScriptedServer, reply, then_close
from tests.transport.watching import watched

PODS = Call("GET", "/api/v1/pods")
FAILED = "tls: failed to verify certificate: x509: "


def failure(server: ScriptedServer, authority: Authority | None, **settings: str) -> TransportError:
    with watched(server, authority, **settings) as one, pytest.raises(TransportError) as caught:
        one.client.send(PODS)
    assert caught.value.kind == "tls"
    assert one.exchanges()[0].error == caught.value.reason
    return caught.value


def test_ca_may_be_a_file_and_so_may_the_client_certificate(authority: Authority, tmp_path: Path) -> None:
    certificate, key = authority.client()
    files = {"ca": authority.pem, "crt": certificate, "key": key}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    with ScriptedServer([reply()], tls=authority.server(clients=True)) as server:
        with watched(
            server,
            certificate_authority=str(tmp_path / "ca"),
            client_certificate=str(tmp_path / "crt"),
            client_key=str(tmp_path / "key"),
        ) as one:
            assert one.client.send(PODS).status == 200


def test_inline_keys_leave_no_file_behind(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[tuple[int, int]] = []
    opened = os.fdopen

    def looking(descriptor: int, *args: object) -> object:
        folder = next(tmp_path.iterdir())
        seen.append((os.fstat(descriptor).st_mode & 0o777, folder.stat().st_mode & 0o777))
        return opened(descriptor, *args)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", looking)
    certificate, key = authority.client()
    settings = {"client_certificate_data": certificate, "client_key_data": key}
    with ScriptedServer([reply()], tls=authority.server(clients=True)) as server:
        with watched(server, authority, **settings) as one:
            assert one.client.send(PODS).status == 200
    assert seen == [(0o600, 0o700)] * 2 and list(tmp_path.iterdir()) == []


def test_the_server_name_may_be_another_than_the_host(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server("api.example")) as server:
        with watched(server, authority, tls_server_name="api.example") as one:
            assert one.client.send(PODS).status == 200


def test_unknown_authority(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server()) as server:
        error = failure(server, None)
        assert error.reason == FAILED + "certificate signed by unknown authority"
        assert error.lines() == [f"Unable to connect to the server: {error.reason}"]


def test_an_authority_of_the_same_name_is_named() -> None:
    """trustme's authorities share no name, so the second one is made to."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kubernetes")])

    def certificate(
        subject: x509.Name, key: rsa.RSAPrivateKey, issuer: rsa.RSAPrivateKey, ca: bool
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(name).public_key(key.public_key())
        builder = builder.serial_number(7).not_valid_before(now - datetime.timedelta(1))
        builder = builder.not_valid_after(now + datetime.timedelta(1))
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
        if not ca:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        return builder.sign(issuer, hashes.SHA256())

    old, new, leaf = (rsa.generate_private_key(65537, 2048) for _ in range(3))
    trusted = certificate(name, old, old, True).public_bytes(serialization.Encoding.PEM)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kube-apiserver")])
    shown = certificate(subject, leaf, new, False).public_bytes(serialization.Encoding.PEM)
    private = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as pair:
        pair.write(private + shown)
        pair.flush()
        context.load_cert_chain(pair.name)
    with ScriptedServer([reply()], tls=context) as server:
        with watched(server, certificate_authority_data=trusted) as one, pytest.raises(TransportError) as caught:
            one.client.send(PODS)
    assert caught.value.reason == (
        f'{FAILED}certificate signed by unknown authority (possibly because of "crypto/rsa: verification error" '
        'while trying to verify candidate authority certificate "kubernetes")'
    )


@pytest.mark.parametrize(
    ("names", "wanted", "words"),
    [
        (("foo.example", "*.bar.example"), "", "cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs"),
        (("10.0.0.1", "foo.example"), "", "certificate is valid for 10.0.0.1, not 127.0.0.1"),
        (("foo.example", "*.bar.example"), "a.b.bar.example", "certificate is valid for foo.example, *.bar.example, not a.b.bar.example"),
        (("127.0.0.1",), "foo.example", "certificate is not valid for any names, but wanted to match foo.example"),
    ],
)  # fmt: skip
def test_wrong_names(names: tuple[str, ...], wanted: str, words: str, authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server(*names)) as server:
        assert failure(server, authority, tls_server_name=wanted).reason == FAILED + words


@pytest.mark.parametrize(("first", "last", "relation"), [(2019, 2020, "after"), (2200, 2201, "before")])
def test_dates(first: int, last: int, relation: str, authority: Authority) -> None:
    dates = {"not_before": datetime.datetime(first, 1, 1), "not_after": datetime.datetime(last, 1, 1)}
    issued = authority.ca.issue_cert("127.0.0.1", **dates)
    with ScriptedServer([reply()], tls=authority.server(issued=issued)) as server:
        said = failure(server, authority).reason
    limit = last if relation == "after" else first
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)"
    words = f"certificate has expired or is not yet valid: current time {stamp} is {relation} {limit}-01-01T00:00:00Z"
    assert re.fullmatch(re.escape(FAILED) + words, said)


def test_http_where_tls_is_expected() -> None:
    answer = then_close(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with EarlyServer(answer) as server, watched(server) as one, pytest.raises(TransportError) as caught:
        one.client.send(PODS)
    assert caught.value.reason == "http: server gave HTTP response to HTTPS client"


class EarlyServer(ScriptedServer):
    """Speaks plain HTTP, and first."""

    def __init__(self, step: object) -> None:
        super().__init__([step])  # type: ignore[list-item]

    @property
    def url(self) -> str:
        return super().url.replace("http:", "https:")

    def _serve(self, connection: object, number: int) -> None:
        with connection:  # type: ignore[attr-defined]
            connection.recv(65536)  # type: ignore[attr-defined]
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")  # type: ignore[attr-defined]


def test_tls_where_http_is_expected() -> None:
    """Go's servers answer a plain request to a TLS port with 400 and a sentence; that is an answer like any other."""
    text = b"Client sent an HTTP request to an HTTPS server.\n"
    with ScriptedServer([reply(text, "400 Bad Request")]) as server, watched(server) as one:
        answer = one.client.send(PODS)
    assert (answer.status, answer.body) == (400, text)


def test_a_client_certificate_that_the_server_wants_and_does_not_get(authority: Authority) -> None:
    with ScriptedServer([reply()], tls=authority.server(clients=True)) as server, watched(server, authority) as one:
        with pytest.raises(TransportError) as caught:
            one.client.send(Call("POST", "/x", body=b"{}"))
    # the server's alert races with its closing of the connection, for kubectl as for us
    assert re.fullmatch(
        r"remote error: tls: certificate required|EOF|(read|write) tcp .*: (connection reset by peer|broken pipe)",
        caught.value.reason,
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"certificate_authority_data": b"rubbish"}, "unable to load root certificates: unable to parse bytes as PEM block"),
        ({"certificate_authority": "/nonexistent/ca"}, "open /nonexistent/ca: no such file or directory"),
        ({"client_certificate_data": b"x", "client_key_data": b"y"}, "tls: failed to find any PEM data in certificate input"),
        ({"insecure_skip_tls_verify": True, "certificate_authority_data": b"x"}, "specifying a root certificates file with the insecure flag is not allowed"),
    ],
)  # fmt: skip
def test_unusable_settings(settings: dict[str, object], words: str) -> None:
    with pytest.raises(ConnectionConfigError) as caught:
        make_context(Connection(server="https://x", **settings))  # type: ignore[arg-type]
    assert caught.value.lines() == [f"error: {words}"]


def test_keys_that_do_not_fit_are_told_without_showing_them(authority: Authority) -> None:
    certificate, _ = authority.client()
    _, key = authority.client()
    with pytest.raises(ConnectionConfigError, match=r"^tls: private key does not match public key$"):
        make_context(Connection(server="https://x", client_certificate_data=certificate, client_key_data=key))


def test_an_empty_ca_file_trusts_nobody(tmp_path: Path) -> None:
    (tmp_path / "ca").touch()
    context = make_context(Connection(server="https://x", certificate_authority=str(tmp_path / "ca")))
    assert context.get_ca_certs() == []


def test_only_http_1_is_offered_and_old_tls_is_not(authority: Authority) -> None:
    server_context = authority.server()
    server_context.set_alpn_protocols(["h2", "http/1.1"])
    with ScriptedServer([reply()], tls=server_context) as server, watched(server, authority) as one:
        assert one.client.send(PODS).status == 200
    assert one.client.tls_context is not None
    assert one.client.tls_context.minimum_version.name == "TLSv1_2"
