"""Credentials in URLs and in texts that quote them, and what a URL says about the body that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

# Compiled when they are first needed: few URLs hold a word that calls for one.
_QUERY_TOKEN = (
    r"((?:^|[?&;#])(?:(?:access_|id_|refresh_|bearer_|x-amz-security-)?token|bearer|authorization|password|passwd|pwd"
    r"|(?:client_)?(?:secret|assertion)|api[_-]?key|jwt|(?:x-(?:amz|goog)-)?signature|sig|code_verifier|samlresponse)=)"
    r"([^&;#\s\"'<>]+)"
)
_QUERY_WORDS = (
    *("token", "bearer", "authorization", "passw", "pwd=", "secret", "assertion", "api", "jwt=", "sig"),
    *("code_verifier", "samlresponse"),
)
_SCHEME_TOKEN = r"(\b(?:bearer|basic)(?:\+|%20))([A-Za-z0-9._~+/=-]{8,})"
"""An Authorization header that somebody hands on in a URL (a word of exec's command)."""
_USER_INFO = r"(?<=://)([^/?#@\s\"']*):([^/?#@\s\"']+)@"
_BEARER_PROTOCOL = r"(base64url\.bearer\.authorization\.k8s\.io\.)([A-Za-z0-9_=-]+)"
_JWT = r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}"
_PRIVATE_KEY = rb"(-----BEGIN [A-Z ]*PRIVATE KEY-----)([^-]+)"
_SECRET_PATH = r"/(?:secrets(?:[/?]|$)|serviceaccounts/[^/?]+/token(?:[/?]|$))"
_NO_OBJECTS = r"/(?:openapi/v[23](?:/[^?]*)?|version|apis?(?:/[^/?]+(?:/v[0-9][^/?]*)?)?)(?:\?.*)?$"
"""Discovery and schemas: they name the kind Secret a hundred times and hold none."""

StandIn = Callable[[str], str]


def mask_url(url: str, stand_in: StandIn) -> str:
    """The URL without the password of its user and the tokens in its query."""
    if "@" in url:
        url = re.sub(_USER_INFO, lambda found: f"{found[1]}:{stand_in(found[2])}@", url)
    lower = url.lower()
    if any(word in lower for word in _QUERY_WORDS):
        url = re.sub(_QUERY_TOKEN, lambda found: found[1] + stand_in(unquote_plus(found[2])), url, flags=re.IGNORECASE)
    if "bearer" in lower or "basic" in lower:
        url = re.sub(_SCHEME_TOKEN, lambda found: found[1] + stand_in(found[2]), url, flags=re.IGNORECASE)
    return url


def mask_form(body: bytes, stand_in: Callable[[bytes], bytes]) -> bytes:
    """A form (an OAuth client's request) without the credentials among its fields."""
    expression = _QUERY_TOKEN.replace("(?:^|[?&;#])", "(?:^|&)").encode()
    return re.sub(expression, lambda found: found[1] + stand_in(found[2]), body, flags=re.IGNORECASE)


def mask_tokens(text: str, stand_in: StandIn) -> str:
    """The text without JSON Web Tokens."""
    return re.sub(_JWT, lambda found: stand_in(found[0]), text)


def mask_loose(body: bytes, stand_in: Callable[[bytes], bytes]) -> bytes:
    """A body's text without JSON Web Tokens and private keys, wherever they stand (a log, a ConfigMap)."""
    if b"eyJ" in body:
        body = re.sub(_JWT.encode(), lambda found: stand_in(found[0]), body)
    if b"PRIVATE KEY" in body:
        body = re.sub(_PRIVATE_KEY, lambda found: found[1] + stand_in(found[2]), body)
    return body


def mask_protocol(value: str, stand_in: StandIn) -> str:
    """A Sec-WebSocket-Protocol header without the bearer token that a browser would send in it."""
    return re.sub(_BEARER_PROTOCOL, lambda found: found[1] + stand_in(found[2]), value)


def belongs_to_secret(url: str) -> bool:
    """Whether the path leads to Secrets or to a service account's token."""
    return ("secrets" in url or "/token" in url) and re.search(_SECRET_PATH, url) is not None


def holds_no_objects(url: str) -> bool:
    """Whether the path is discovery or a schema."""
    return re.search(_NO_OBJECTS, url) is not None
