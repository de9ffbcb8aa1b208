"""One call of an admission webhook over HTTPS (apiserver util/webhook, client-go rest).

Webhooks are reached on this machine's loopback only: nothing that a manifest says makes the playground speak to others.
"""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from typing import Any
from urllib.parse import urlsplit

import h11
import msgspec

from kubetrace.playground.slices import has_ready, slices_of
from kubetrace.playground.storage import Store
from kubetrace.wire.go_json import no_object
from kubetrace.wire.server_words import server_words

_MOST = 3 * 1024 * 1024
_UNTRUSTED = "tls: failed to verify certificate: x509: "


class CallFailure(Exception):
    """Why there is no answer, in the words of Go's client."""


def is_local(host: str) -> bool:
    """Whether a name or an address is this machine's own."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def call(store: Store, config: dict[str, Any], review: dict[str, Any], seconds: int) -> dict[str, Any]:
    """The review that a webhook's client configuration leads to. Raises CallFailure."""
    url, address = _where(store, config)
    asked = f"{url}?timeout={seconds}s"
    try:
        if isinstance(address, str):
            raise CallFailure(address)
        async with asyncio.timeout(seconds):
            status, kind, body = await _post(asked, address, config.get("caBundle"), msgspec.json.encode(review))
    except TimeoutError:
        raise CallFailure(f'Post "{asked}": context deadline exceeded') from None
    except CallFailure as failure:
        raise CallFailure(f'Post "{asked}": {failure}') from None
    return _decoded(status, kind, body)


def _where(store: Store, config: dict[str, Any]) -> tuple[str, tuple[str, int] | str]:
    """(the URL, where it is, or why it is nowhere). A Service's containers are simulated ones, which speak no TLS."""
    if config.get("url"):
        url = urlsplit(config["url"])
        host, port = url.hostname or "", url.port or 443
        told = f"dial tcp: lookup {host}: the playground calls webhooks on this machine only"
        return config["url"], (host, port) if is_local(host) else told
    wanted = config["service"]
    name, place, port = wanted["name"], wanted["namespace"], wanted.get("port") or 443
    url_text = f"https://{name}.{place}.svc:{port}{wanted.get('path') or '/'}"
    service = store.get("services", place, name)
    if service is None:
        return url_text, f'service "{name}" not found'
    spec = service["spec"]
    if spec.get("type") == "ExternalName":
        host = spec.get("externalName", "")
        told = f"dial tcp: lookup {host}: the playground calls webhooks on this machine only"
        return url_text, (host, port) if is_local(host) else told
    if spec.get("clusterIP") == "None":
        return url_text, 'cannot route to service with ClusterIP "None"'
    if not any(entry["port"] == port for entry in spec.get("ports") or ()):
        return url_text, f'no service port {port} found for service "{name}"'
    if not any(map(has_ready, slices_of(store, place, name))):
        return url_text, f"dial tcp {spec.get('clusterIP')}:{port}: connect: connection refused"
    return url_text, "http: server gave HTTP response to HTTPS client"


async def _post(url: str, address: tuple[str, int], bundle: str | None, body: bytes) -> tuple[int, str, bytes]:
    """(status, content type, body)"""
    host, port = address
    parts = urlsplit(url)
    try:
        reader, writer = await asyncio.open_connection(
            host, port, ssl=_context(bundle), server_hostname=parts.hostname or host
        )
    except ssl.SSLCertVerificationError as error:
        raise CallFailure(_UNTRUSTED + _distrust(error)) from None
    except ssl.SSLError as error:
        plain = "WRONG_VERSION_NUMBER" in str(error) or "RECORD_LAYER_FAILURE" in str(error)
        raise CallFailure("http: server gave HTTP response to HTTPS client" if plain else "EOF") from None
    except OSError:
        where = "127.0.0.1" if host.lower() == "localhost" else host
        raise CallFailure(f"dial tcp {where}:{port}: connect: connection refused") from None
    try:
        head = [("Host", parts.netloc), ("User-Agent", "kube-apiserver-admission")]
        head += [("Content-Length", str(len(body))), ("Accept", "application/json, */*")]
        head += [("Content-Type", "application/json"), ("Connection", "close")]
        http = h11.Connection(h11.CLIENT)
        target = f"{parts.path or '/'}?{parts.query}"
        events = (h11.Request(method="POST", target=target, headers=head), h11.Data(data=body), h11.EndOfMessage())
        writer.write(b"".join(http.send(event) or b"" for event in events))
        await writer.drain()
        return await _answer(http, reader)
    except (OSError, h11.RemoteProtocolError):
        raise CallFailure("EOF") from None
    finally:
        writer.transport.abort()


async def _answer(http: h11.Connection, reader: asyncio.StreamReader) -> tuple[int, str, bytes]:
    status, kind, found = 0, "", b""
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            http.receive_data(await reader.read(65536))
        elif isinstance(event, h11.Response):
            status = event.status_code
            kind = dict(event.headers).get(b"content-type", b"").decode("latin-1")
        elif isinstance(event, h11.Data):
            found += event.data
            if len(found) > _MOST:
                raise CallFailure("http: request body too large")
        elif not isinstance(event, h11.InformationalResponse):
            return status, kind, found


def _context(bundle: str | None) -> ssl.SSLContext:
    """Trusts what the configuration says, a certificate itself included, as Go does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    if bundle:
        import base64

        context.load_verify_locations(cadata=base64.b64decode(bundle).decode("latin-1"))
    else:
        context.load_default_certs()
    return context


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == 10:
        return "certificate has expired or is not yet valid"
    if error.verify_code in (62, 64):
        return f"certificate is not valid for the host: {error.verify_message}"
    return "certificate signed by unknown authority"


def _decoded(status: int, kind: str, body: bytes) -> dict[str, Any]:
    text = body.decode("utf-8", "replace").strip() if kind.startswith("text/") else "unknown"
    try:
        found = msgspec.json.decode(body)
    except msgspec.DecodeError:
        found = ""  # as YAML it is a text
    if not 200 <= status <= 206:
        if isinstance(found, dict) and found.get("kind") == "Status" and found.get("message"):
            raise CallFailure(str(found["message"]))
        raise CallFailure(server_words(status, "POST", text)[1])
    if found is None:
        found = {}
    if not isinstance(found, dict):
        raise CallFailure(f"couldn't get version/kind; json parse error: {no_object(found)}")
    version, title = found.get("apiVersion") or "", found.get("kind") or ""
    if title != "AdmissionReview" or version not in ("admission.k8s.io/v1", "admission.k8s.io/v1beta1"):
        scheme = 'in scheme "pkg/runtime/scheme.go:111"'
        raise CallFailure(f'no kind "{title}" is registered for version "{version}" {scheme}')
    return found
