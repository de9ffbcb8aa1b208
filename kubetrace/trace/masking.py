"""The one place where credentials are masked, on the way out.

`Authorization` follows client-go's rules (transport/round_trippers.go, maskValue). Beyond kubectl, the contents of
Secrets, tokens in TokenRequest, TokenReview and exec-credential objects, credentials in kubeconfig files, tokens in
URLs and every registered credential become a placeholder such as `<masked:1>`, the same for the same secret throughout
a run, so that identity stays visible. Everything else keeps its bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

from kubetrace.wire import CBOR, PROTOBUF, is_binary, is_watch_stream

if TYPE_CHECKING:
    from kubetrace.trace.secret_json import Span

# The scanners are loaded on use: most commands meet no Secret, some send no request at all.

_SHORTEST = 4
_ANYWHERE = 8


class Masker:
    """Masks what leaves the program. `unmask` shows everything as it is. Safe to share between threads."""

    def __init__(self, unmask: bool = False) -> None:
        self.unmask = unmask
        self._numbers: dict[bytes, int] = {}
        self._registered: list[tuple[re.Pattern[bytes], bytes]] = []
        self._needles: list[bytes] = []
        self.version = 0
        """Rises whenever something else is masked than before."""
        self._lock = threading.Lock()

    def register(self, secret: str | bytes, username: str | None = None) -> None:
        """Makes a known credential (token, password) be masked wherever it appears: raw, in base64, escaped for JSON or
        for a URL; with `username` also as HTTP Basic credentials. Values under four bytes would hide half the log and
        are left to the other rules; values under eight are masked only as whole words."""
        raw = secret.encode("utf-8", "surrogateescape") if isinstance(secret, str) else secret
        if username is not None and raw:
            self.register(base64.b64encode(username.encode() + b":" + raw))
        if len(raw) < _SHORTEST or self.unmask:
            return
        forms = sorted(_spellings(raw), key=len, reverse=True)
        expression = b"|".join(re.escape(form) for form in forms)
        if len(raw) < _ANYWHERE:
            expression = rb"(?<![A-Za-z0-9_.-])(?:" + expression + rb")(?![A-Za-z0-9_.-])"
        with self._lock:
            if not any(known == raw for _, known in self._registered):
                self._registered.append((re.compile(expression), raw))
                self._needles.extend(forms)
                self.version += 1

    def placeholder(self, secret: bytes) -> bytes:
        """The stable stand-in for a secret; a value and its base64 form share one."""
        with self._lock:
            return b"<masked:%d>" % self._numbers.setdefault(_identity(secret), len(self._numbers) + 1)

    def header(self, name: str, value: str, authorization: bool = True) -> str:
        """A header's value. `authorization` False keeps client-go's way before 1.33 with response headers, which it
        printed as they were (registered credentials are masked even there)."""
        if self.unmask:
            return value
        lower = name.lower()
        if lower == "authorization" and authorization:
            return mask_authorization(value)
        if lower == "sec-websocket-protocol":
            from kubetrace.trace.secret_urls import mask_protocol

            value = mask_protocol(value, self._stand_in)
        return self.url(value) if "?" in value or "://" in value else self._known(value)

    def url(self, url: str) -> str:
        """A URL without passwords, tokens in its query and registered credentials."""
        if self.unmask:
            return url
        from kubetrace.trace.secret_urls import mask_url

        return self._known(mask_url(url, self._stand_in))

    def text(self, text: str) -> str:
        """An error, warning or note: tokens in URLs, JWTs and registered credentials."""
        if self.unmask:
            return text
        if "eyJ" in text:
            from kubetrace.trace.secret_urls import mask_tokens

            text = mask_tokens(text, self._stand_in)
        return self.url(text) if "=" in text or "://" in text else self._known(text)

    def body(self, body: bytes, url: str | None = None, shown: int | None = None) -> bytes:
        """A request or response body; nothing but the credentials changes. `url` tells where a patch without a kind
        belongs to. Bodies that hold no secret cost a search for a few words. `shown` says that only so many bytes will
        be seen: where nothing among them could be a credential, what follows is left as it is."""
        if self.unmask or not body:
            return body
        from kubetrace.trace import secret_json, secret_urls

        in_secret = None if url is None else secret_urls.belongs_to_secret(url)
        if shown is not None and len(body) > shown and not in_secret and not self._may_show_secret(body, shown):
            return body
        if url is not None and not in_secret and secret_urls.holds_no_objects(url):
            return self._known_bytes(body)
        if in_secret or secret_json.may_hold_secrets(body):
            body = self._masked_content(body, in_secret)
        if not is_binary(body):
            body = secret_urls.mask_loose(body, self.placeholder)
            if re.match(rb"[A-Za-z_]+=[^\s{]*$", body):
                body = secret_urls.mask_form(body, self.placeholder)
        return self._known_bytes(body)

    def _may_show_secret(self, body: bytes, shown: int) -> bool:
        from kubetrace.trace import secret_json

        if is_binary(body):
            return True
        start = body[: shown + max(map(len, self._needles), default=0)]
        return any(needle in start for needle in self._needles) or secret_json.may_show_secret(body, shown)

    def _masked_content(self, body: bytes, in_secret: bool | None) -> bytes:
        from kubetrace.trace import secret_json, secret_protobuf, secret_yaml

        if body.startswith(PROTOBUF):
            return secret_protobuf.mask(body, bool(in_secret), self.placeholder)
        if body.startswith(CBOR):
            return CBOR + b"*" * (len(body) - len(CBOR))
        if is_watch_stream(body):
            return secret_protobuf.mask_watch(body, bool(in_secret), self.placeholder)
        start = body.lstrip()[:1]
        if start in (b"{", b"["):
            return self._replaced(body, secret_json.spans(body, in_secret))
        if in_secret and b"\0" in body:  # whatever it is
            return b"*" * len(body)
        return self._replaced(body, secret_yaml.spans(body, bool(in_secret)))

    def _replaced(self, body: bytes, spans: Iterable[Span]) -> bytes:
        parts: list[bytes] = []
        end = 0
        for start, stop, quoted in sorted(spans):
            if start < end:
                continue
            stand_in = self.placeholder(unescaped(body[start:stop], quoted))
            parts += [body[end:start], stand_in if quoted >= 0 else b'"' + stand_in + b'"']
            end = stop
        return b"".join([*parts, body[end:]])

    def _stand_in(self, secret: str) -> str:
        if re.fullmatch(r"<masked(:\d+)?>", secret):
            return secret
        return self.placeholder(secret.encode("utf-8", "surrogateescape")).decode()

    def _known(self, text: str) -> str:
        if not self._registered:
            return text
        return self._known_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")

    def _known_bytes(self, body: bytes) -> bytes:
        for needle in self._needles:
            if needle in body:
                return self._without_known(body)
        return body

    def _without_known(self, body: bytes) -> bytes:
        for expression, raw in self._registered:
            if expression.search(body):
                body = expression.sub(self.placeholder(raw), body)
        return body


def mask_authorization(value: str) -> str:
    """client-go's maskValue: the scheme stays for Bearer, Basic and Negotiate, everything else goes."""
    if not value:
        return ""
    cut = value.find(" ")
    scheme = value[:cut] if cut > 0 else value
    if scheme.lower() not in ("bearer", "basic", "negotiate"):
        return "<masked>"
    return scheme + " <masked>" if len(value) > len(scheme) + 1 else scheme


def unescaped(content: bytes, levels: int) -> bytes:
    """The content of a JSON string, unescaped as often as it was nested; unchanged where that fails."""
    import json

    for _ in range(levels):
        if b"\\" not in content:
            break
        try:
            content = json.loads(b'"' + content + b'"').encode("utf-8", "surrogatepass")
        except ValueError:
            break
    return content


def _spellings(raw: bytes) -> set[bytes]:
    """The ways in which a credential may be spelled in a body or a URL."""
    import json
    from urllib.parse import quote, quote_plus

    forms = {raw, base64.b64encode(raw), quote(raw, safe="").encode(), quote_plus(raw).encode()}
    text = raw.decode("utf-8", "surrogateescape")
    for ascii_only in (True, False):
        escaped = json.dumps(text, ensure_ascii=ascii_only)[1:-1].encode("utf-8", "surrogateescape")
        forms |= {escaped, escaped.replace(b"&", b"\\u0026").replace(b"<", b"\\u003c").replace(b">", b"\\u003e")}
    return {form for form in forms if form}


def _identity(secret: bytes) -> bytes:
    """One key for a value and its base64 form (a Secret's data, and the same value in its stringData)."""
    try:
        decoded = base64.b64decode(secret, validate=True)
    except (binascii.Error, ValueError):
        return secret
    return decoded if decoded and len(secret) >= _SHORTEST else secret
