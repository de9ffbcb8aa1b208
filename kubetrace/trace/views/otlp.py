"""Exchanges as OpenTelemetry spans, for a collector or a file: Tempo, Jaeger or any other backend is the store.

Names and attributes are OpenTelemetry's semantic conventions for HTTP clients, plus the API operation. Needs the extra
`kubetrace[otel]`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from kubetrace import __version__
from kubetrace.errors import KubetraceError
from kubetrace.trace.exchange import Exchange
from kubetrace.trace.exchanges import Recorded

MISSING = "trace otlp needs OpenTelemetry's SDK and exporter: pip install 'kubetrace[otel]'"
_BATCH = 200
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_IDS = ("traceId", "spanId", "parentSpanId")


def render(exchanges: Iterable[Recorded]) -> Iterator[str]:
    """OTLP's JSON, a line for every batch (the file format of OpenTelemetry collectors). Raises KubetraceError."""
    encoder = _otel("opentelemetry.exporter.otlp.proto.common.trace_encoder")
    as_dict = _otel("google.protobuf.json_format").MessageToDict
    for batch in _batches(exchanges):
        yield json.dumps(_with_hex(as_dict(encoder.encode_spans(batch))), separators=(",", ":")) + "\n"


def send(exchanges: Iterable[Recorded], endpoint: str) -> int:
    """Sends the spans to a collector's OTLP/HTTP endpoint (".../v1/traces"); how many there were. Raises
    KubetraceError where it does not take them."""
    success = _otel("opentelemetry.sdk.trace.export").SpanExportResult.SUCCESS
    _silence()
    exporter = _otel("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter(endpoint, timeout=10)
    count = 0
    try:
        for batch in _batches(exchanges):
            if exporter.export(batch) is not success:
                raise KubetraceError(f"the collector at {endpoint} does not take the spans")
            count += len(batch)
    finally:
        exporter.shutdown()
    return count


def _silence() -> None:
    """Nothing of what the exporter tells Python's log: its failures are said in our words, once."""
    import logging

    log = logging.getLogger("opentelemetry")
    log.addHandler(logging.NullHandler())
    log.propagate = False


def _otel(module: str) -> Any:
    """A module of OpenTelemetry's. Raises KubetraceError where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise KubetraceError(MISSING) from None


def _batches(exchanges: Iterable[Recorded]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for recorded in exchanges:
        batch.append(span(recorded))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def span(recorded: Recorded) -> Any:
    """One exchange as a ReadableSpan of the SDK."""
    api, sdk = _otel("opentelemetry.trace"), _otel("opentelemetry.sdk.trace")
    exchange, where = recorded.exchange, recorded.endpoint
    trace_id, span_id = _ids(exchange)
    failed = recorded.status == 0 or recorded.status >= 400
    start = int(exchange.started * 1e9)
    scope = _otel("opentelemetry.sdk.util.instrumentation").InstrumentationScope("kubetrace", __version__)
    return sdk.ReadableSpan(
        name=f"{exchange.request.method} {where.template}",
        context=api.SpanContext(trace_id, span_id, is_remote=False, trace_flags=api.TraceFlags(1)),
        resource=_otel("opentelemetry.sdk.resources").Resource(
            {"service.name": "kubetrace", "service.version": __version__}
        ),
        attributes=_attributes(recorded),
        kind=api.SpanKind.CLIENT,
        instrumentation_scope=scope,
        status=api.Status(api.StatusCode.ERROR, exchange.error or None) if failed else api.Status(),
        start_time=start,
        end_time=start + int(recorded.seconds * 1e9),
    )


def _ids(exchange: Exchange) -> tuple[int, int]:
    """The ids that the request carried (--traceparent), else ones that its session and its number make."""
    headers = {name.lower(): value for name, value in exchange.request.headers}
    sent = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    if sent:
        return int(sent[1], 16), int(sent[2], 16)
    session = headers.get("kubectl-session", "kubetrace")
    trace = hashlib.sha256(session.encode("utf-8", "replace")).digest()[:16]
    own = hashlib.sha256(f"{session} {exchange.id} {exchange.started}".encode("utf-8", "replace")).digest()[:8]
    return int.from_bytes(trace) or 1, int.from_bytes(own) or 1


def _attributes(recorded: Recorded) -> dict[str, str | int]:
    exchange, where = recorded.exchange, recorded.endpoint
    found: dict[str, str | int | None] = {
        "http.request.method": exchange.request.method,
        "url.full": exchange.request.url,
        "url.template": where.template,
        "http.response.status_code": recorded.status or None,
        "http.request.body.size": len(exchange.request.body) if exchange.request.body else None,
        "http.response.body.size": exchange.body_size,
        "http.request.resend_count": exchange.attempt - 1 or None,
        "network.peer.address": exchange.connection.address,
        "error.type": exchange.error or (str(recorded.status) if recorded.status >= 400 else None),
        "k8s.verb": where.verb,
        "k8s.resource": where.full_resource or None,
        "k8s.api_group": where.group or None,
        "k8s.namespace.name": where.namespace or None,
        "k8s.object.name": where.name or None,
        "kubetrace.purpose": exchange.request.purpose.sentence or None,
        **_server(exchange.request.url),
    }
    return {name: value for name, value in found.items() if value is not None}


def _server(url: str) -> dict[str, str | int | None]:
    try:
        parts = urlsplit(url)
        return {"server.address": parts.hostname, "server.port": parts.port, "url.scheme": parts.scheme or None}
    except ValueError:
        return {}


def _with_hex(value: Any) -> Any:
    """OTLP's JSON has ids in hex, where protobuf's has base64."""
    if isinstance(value, list):
        return [_with_hex(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: base64.b64decode(one).hex() if key in _IDS else _with_hex(one) for key, one in value.items()}
