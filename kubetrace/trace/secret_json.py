"""Finds the credentials in a JSON body, as byte spans, without parsing it into values.

The scanner walks over tokens and never fails: what is truncated or broken is treated as the worst case, because a parse
failure must not leak anything.
"""

from __future__ import annotations

import re

from kubetrace.value import Mutable, fresh

Span = tuple[int, int, int]
"""Start and end of a value's content in the body, and how many times it is escaped as a JSON string: 0 is not at all,
-1 is a bare JSON value (a number), whose stand-in needs quotation marks."""

_TOKEN = rb'"((?:[^"\\]|\\.)*+)("?)|([{}\[\],:])|([^\s{}\[\],:"]+)'
_ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SIMPLE = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"b": b"\b", b"f": b"\f"}

_MARKERS = (b"TokenRe", b"ExecCredential", b"stringData", b"client-key-data", b"clientKeyData")
_SECRET_KIND = rb"""Secret(?:List)?["'\\]|kind["']?\s*:\s*["']?Secret|[\x06\n]Secret"""
_CONFIG_KIND = rb"""kind\\?["']?\s*:\s*\\?["']?Config\b"""
_PATCH = rb"""["']path["']\s*:\s*["']/(?:data|stringData)"""
_KEYS = rb"""(?<!meta)[dD]ata|[tT]oken|password|client.secret|\\u|eyJ|PRIVATE KEY"""
"""Whatever else it takes: no credential without one of these before it (a key may be spelled with escapes)."""
_TOKEN_KINDS = {
    b"TokenRequest": ((b"status", b"token"),),
    b"TokenReview": ((b"spec", b"token"),),
    b"ExecCredential": ((b"status", b"token"), (b"status", b"clientKeyData")),
}
_CONFIG_KEYS = frozenset(
    (
        b"token",
        b"password",
        b"client-key-data",
        b"clientKeyData",
        b"access-token",
        b"refresh-token",
        b"id-token",
        b"client-secret",
    )
)
_LOGIN = rb"""["'](?:token|jweToken|password|client_secret|(?:access|refresh|id)_token)["']\s*:\s*["']"""
_LOGIN_KEYS = frozenset(
    (b"token", b"jweToken", b"password", b"client_secret", b"access_token", b"refresh_token", b"id_token")
)
"""What a body that is no Kubernetes object says when somebody logs in (OAuth, a dashboard)."""
_DATA_KEYS = (b"data", b"stringData")
_PATCH_PATH = rb"/(?:data|stringData)(?:/|$)"
_NESTED = rb"users|Secret|TokenRe|ExecCredential|client-key-data|stringData"


def may_hold_secrets(body: bytes) -> bool:
    """A cheap look at a body of any encoding: could there be a Secret, a token or a kubeconfig in it?"""
    if any(marker in body for marker in _MARKERS):
        return True
    if b"Secret" in body and re.search(_SECRET_KIND, body) is not None:
        return True
    if (b"oken" in body or b"password" in body or b"client_secret" in body) and re.search(_LOGIN, body) is not None:
        return True
    if b"users" in body and re.search(_CONFIG_KIND, body) is not None:
        return True
    return b"/data" in body and re.search(_PATCH, body) is not None


def may_show_secret(body: bytes, shown: int) -> bool:
    """Could a credential stand among the first `shown` bytes of a text? (Its key stands before it. Only a JSON patch
    may name the key behind the value.)"""
    start = body[:shown]
    return re.search(_KEYS, start) is not None or (b'value"' in start and b'"op' in body)


class _Node(Mutable):
    """A container being read: its short strings by key, and where all the scalars below it lie, by path."""

    is_object: bool = True
    key: bytes | None = None
    strings: dict[bytes, bytes] = fresh(dict)
    scalars: list[tuple[tuple[bytes, ...], Span]] = fresh(list)


def spans(body: bytes, in_secret: bool | None = None) -> list[Span]:
    """The spans of all credentials in a JSON text. `in_secret`: whether the URL says that the body belongs to a Secret
    (or asks for a token), so that an object without a kind, or a patch, is part of one; None where nobody knows."""
    return _Scanner(body, in_secret).run()


class _Scanner:
    def __init__(self, body: bytes, in_secret: bool | None) -> None:
        self._body = body
        self._in_secret = in_secret
        self._found: list[Span] = []
        self._stack: list[_Node] = []
        self._expect_key = False
        self._broken = False

    def run(self) -> list[Span]:
        for match in re.finditer(_TOKEN, self._body, re.DOTALL):
            if match[3] is not None:
                self._punctuation(match[3])
            elif match[4] is not None:
                self._scalar((match.start(4), match.end(4), -1), None)
            else:
                self._string(match)
        # Whatever is still open was cut off: its kind may never come.
        self._broken = self._broken or bool(self._stack)
        while self._stack:
            self._close()
        return self._found

    def _punctuation(self, char: bytes) -> None:
        if char == b"{" or char == b"[":
            self._stack.append(_Node(is_object=char == b"{"))
            self._expect_key = char == b"{"
        elif char == b"}" or char == b"]":
            if not self._stack or self._stack[-1].is_object != (char == b"}"):
                self._broken = True
            if self._stack:
                self._close()
            self._expect_key = False
        elif char == b":":
            self._expect_key = False
        elif self._stack:
            self._expect_key = self._stack[-1].is_object

    def _string(self, match: re.Match[bytes]) -> None:
        span = (match.start(1), match.end(1), 1)
        if not match[2]:
            self._broken = True
        if self._expect_key and self._stack and match[2]:
            self._stack[-1].key = _plain(match[1])
            return
        content = match[1]
        if (b"\\" in content or b"\n" in content) and re.search(_NESTED, content):
            # Also a scalar of its own: where the whole string is a credential, its longer span wins.
            self._found += self._nested(span)
        self._scalar(span, content)

    def _scalar(self, span: Span, content: bytes | None) -> None:
        if not self._stack or span[0] == span[1]:
            return
        node = self._stack[-1]
        key = node.key if node.is_object and node.key is not None else b""
        # A kind that was cut off is no kind.
        if content is not None and len(content) < 100 and self._body[span[1] : span[1] + 1] == b'"':
            node.strings[key] = _plain(content)
        if content is None and self._body[span[0] : span[1]] in (b"null", b"true", b"false"):
            return
        node.scalars.append(((key,), span))

    def _nested(self, span: Span) -> list[Span]:
        """Credentials in a string that is itself a document (a last-applied annotation, a kubeconfig)."""
        text, positions = _unescape(self._body, span[0], span[1])
        inside = self._inner_spans(text)
        return [(positions[start], positions[stop], max(levels, 0) + 1) for start, stop, levels in inside]

    def _inner_spans(self, text: bytes) -> list[Span]:
        from kubetrace.trace import secret_yaml  # the two call each other for documents within documents

        if text.lstrip()[:1] in (b"{", b"["):
            return spans(text)
        return secret_yaml.spans(text)

    # --- a container is complete: is it one that holds credentials? ---

    def _close(self) -> None:
        node = self._stack.pop()
        kind = node.strings.get(b"kind", b"") if node.is_object else b""
        self._judge(node, kind)
        if not self._stack:
            return
        parent = self._stack[-1]
        key = parent.key if parent.is_object and parent.key is not None else b""
        # Only a few levels can ever matter (items[].data.key, users[].user.auth-provider.config.token).
        for path, span in node.scalars:
            if len(path) < 6:
                parent.scalars.append(((key, *path), span))

    def _judge(self, node: _Node, kind: bytes) -> None:
        if not node.is_object:
            return
        top = not self._stack
        self._found += [span for path, span in node.scalars if self._is_credential(node, kind, path, top)]

    def _is_credential(self, node: _Node, kind: bytes, path: tuple[bytes, ...], top: bool) -> bool:
        if kind == b"Secret":
            return len(path) > 1 and path[0] in _DATA_KEYS
        if kind == b"SecretList":
            return len(path) > 3 and path[0] == b"items" and path[2] in _DATA_KEYS
        if kind in _TOKEN_KINDS:
            return path[:2] in _TOKEN_KINDS[kind]
        if kind == b"Config" and path[-1] in _CONFIG_KEYS:
            return path[0] == b"users"
        if path[-1] in (b"client-key-data", b"clientKeyData"):
            return True
        if not kind and self._is_patch_value(node, path):
            return True
        if top and path[0] in _LOGIN_KEYS and len(path) == 1 and not kind:
            return True
        if not kind and (self._broken or (self._in_secret and top)):
            return b"data" in path[:-1] or b"stringData" in path[:-1] or path[-2:] == (b"status", b"token")
        return False

    def _is_patch_value(self, node: _Node, path: tuple[bytes, ...]) -> bool:
        """A JSON patch operation {"op":…, "path":"/data/…", "value":…} on a Secret (or on nobody knows what)."""
        if self._in_secret is False or path[0] != b"value" or b"op" not in node.strings:
            return False
        target = node.strings.get(b"path", b"")
        if re.match(_PATCH_PATH, target):
            return True
        return not target and len(path) > 2 and path[1] in _DATA_KEYS


def _plain(content: bytes) -> bytes:
    """A short string's content without its escapes (a key or kind may be spelled with them)."""
    return _ESCAPE.sub(_unescape_one, content) if b"\\" in content else content


def _unescape_one(match: re.Match[bytes]) -> bytes:
    if match[1] is not None:
        return chr(int(match[1], 16)).encode("utf-8", "surrogatepass")
    return _SIMPLE.get(match[2], match[2])


def _unescape(body: bytes, start: int, stop: int) -> tuple[bytes, list[int]]:
    """A JSON string's text, and for each of its bytes (and its end) the position it came from."""
    text = bytearray()
    positions: list[int] = []
    end = start
    for match in _ESCAPE.finditer(body, start, stop):
        text += body[end : match.start()]
        positions += range(end, match.start())
        char = _unescape_one(match)
        text += char
        positions += [match.start()] * len(char)
        end = match.end()
    text += body[end:stop]
    positions += range(end, stop + 1)
    return bytes(text), positions
