"""A watch's body as it comes, and what each of its events is about: JSON texts on lines of their own, protobuf messages
behind their lengths, or CBOR items (apimachinery runtime/serializer/json, protobuf and cbor, their framers)."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from kubetrace.trace.exchange import WatchEventReceived
from kubetrace.value import Value
from kubetrace.wire.cbor import Ends, InvalidCBOR
from kubetrace.wire.cbor import decode as decode_cbor
from kubetrace.wire.protobuf import InvalidProtobuf, envelope, fields, watch_event

TYPES = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"})
LIMIT = 8 << 20
"""The most bytes of one event that are held; an API server stores objects of some 1.5 MiB at most."""
_NAME, _NAMESPACE, _VERSION = 1, 3, 6
"""Fields of meta/v1 ObjectMeta, which is every object's first field."""
_LIST_VERSION, _STATUS_MESSAGE = 2, 3


class Change(Value):
    """What one event says: its `type`, the object it is about, and the event's `size` in bytes. Fields that it does not
    have are empty; `message` is an ERROR's."""

    type: str
    kind: str = ""
    namespace: str = ""
    name: str = ""
    resource_version: str = ""
    message: str = ""
    size: int = 0

    def within(self, exchange: int, call: int, seconds: float) -> WatchEventReceived:
        """The event that tells of it; it came `seconds` after the exchange began."""
        names = self.kind, self.namespace, self.name, self.resource_version, self.message
        return WatchEventReceived(exchange, call, self.type, *names, self.size, seconds)


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""


class _Row(msgspec.Struct):
    object: dict[str, msgspec.Raw] | None = None


class _Object(msgspec.Struct):
    kind: str = ""
    metadata: _Meta | None = None
    message: str = ""
    rows: list[_Row] | None = None


class _Event(msgspec.Struct):
    type: str
    object: _Object | None = None


_READER = msgspec.json.Decoder(_Event)


class WatchReader:
    """Takes a watch's decoded body piece by piece and tells of each event once it is whole. It never fails: what can't
    be read it passes over."""

    def __init__(self, content_type: str, tell: Callable[[Change], object]) -> None:
        self._tell = tell
        kind = content_type.lower()
        self._take = self._messages if "protobuf" in kind else self._items if "cbor" in kind else self._lines
        self._held = bytearray()
        self._skip = 0
        self._ends = Ends()
        self._is_lost = False

    def feed(self, content: bytes) -> None:
        if not self._is_lost:
            self._held += content
            self._take()

    def _lines(self) -> None:
        *lines, rest = self._held.split(b"\n")
        for line in lines:
            if not self._skip:
                self._read(bytes(line), _json_change)
            self._skip = 0
        if len(rest) > LIMIT:
            self._skip, rest = 1, bytearray()
        self._held = rest

    def _messages(self) -> None:
        while len(self._held) >= 4:
            end = 4 + int.from_bytes(self._held[:4], "big")
            if end > LIMIT:
                self._lose()
                return
            if len(self._held) < end:
                return
            self._read(bytes(self._held[4:end]), _protobuf_change)
            del self._held[:end]

    def _items(self) -> None:
        try:
            while end := self._ends.find(self._held):
                self._read(bytes(self._held[:end]), _cbor_change)
                del self._held[:end]
        except InvalidCBOR:
            self._lose()
        if len(self._held) > LIMIT:
            self._lose()

    def _lose(self) -> None:
        """Nobody can tell where the next event begins."""
        self._is_lost = True
        self._held.clear()

    def _read(self, event: bytes, read: Callable[[bytes], Change]) -> None:
        try:
            change = read(event)
        except (msgspec.DecodeError, InvalidProtobuf, InvalidCBOR, ValueError, OverflowError, RecursionError):
            return
        if change.type in TYPES:
            self._tell(change)


def _json_change(line: bytes) -> Change:
    return _change(_READER.decode(line), len(line))


def _cbor_change(item: bytes) -> Change:
    return _change(_READER.decode(msgspec.json.encode(decode_cbor(item))), len(item))


def _change(event: _Event, size: int) -> Change:
    found = event.object or _Object()
    meta = found.metadata or _Meta()
    row = found.rows[0].object if found.rows else None
    if row and "metadata" in row:  # a Table is about the object in its row
        meta = msgspec.json.decode(row["metadata"], type=_Meta)
    return Change(event.type, found.kind, meta.namespace, meta.name, meta.resource_version, found.message, size)


def _protobuf_change(frame: bytes) -> Change:
    type, raw = watch_event(frame)
    _, kind, message = envelope(raw)
    found = dict(fields(message))
    meta = {number: _text(value) for number, value in fields(_data(found.get(1)))}
    if kind == "Status":
        version, text = meta.get(_LIST_VERSION, ""), _text(found.get(_STATUS_MESSAGE))
        return Change(type, kind, "", "", version, text, len(frame))
    names = meta.get(_NAMESPACE, ""), meta.get(_NAME, "")
    return Change(type, kind, *names, meta.get(_VERSION, ""), "", len(frame))


def _data(value: int | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _text(value: int | bytes | None) -> str:
    return _data(value).decode("utf-8", "replace")
