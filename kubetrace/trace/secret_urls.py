"""Credentials in URLs and in texts that quote them, and what a URL says about the body that belongs to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import unquote_plus

_QUERY_TOKEN = re.compile(
    r"((?:^|[?&;])(?:access_token|id_token|refresh_token|token|bearer|bearer_token|authorization|password|client_secret"
    r"|api_key)=)([^&;#\s\"'<>]+)",
    re.IGNORECASE,
)
_USER_INFO = re.compile(r"(?<=://)([^/?#@\s\"']*):([^/?#@\s\"']+)@")
_BEARER_PROTOCOL = re.compile(r"(base64url\.bearer\.authorization\.k8s\.io\.)([A-Za-z0-9_=-]+)")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]{4,}")
_SECRET_PATH = re.compile(r"/(?:secrets(?:[/?]|$)|serviceaccounts/[^/?]+/token(?:[/?]|$))")
_NO_OBJECTS = re.compile(r"/(?:openapi/v[23](?:/[^?]*)?|version|apis?(?:/[^/?]+(?:/v[0-9][^/?]*)?)?)(?:\?.*)?$")
"""Discovery and schemas: they name the kind Secret a hundred times and hold none."""

StandIn = Callable[[str], str]


def mask_url(url: str, stand_in: StandIn) -> str:
    """The URL without the password of its user and the tokens in its query."""
    url = _USER_INFO.sub(lambda found: f"{found[1]}:{stand_in(found[2])}@", url)
    return _QUERY_TOKEN.sub(lambda found: found[1] + stand_in(unquote_plus(found[2])), url)


def mask_tokens(text: str, stand_in: StandIn) -> str:
    """The text without JSON Web Tokens."""
    return _JWT.sub(lambda found: stand_in(found[0]), text)


def mask_protocol(value: str, stand_in: StandIn) -> str:
    """A Sec-WebSocket-Protocol header without the bearer token that a browser would send in it."""
    return _BEARER_PROTOCOL.sub(lambda found: found[1] + stand_in(found[2]), value)


def belongs_to_secret(url: str) -> bool:
    """Whether the path leads to Secrets or to a service account's token."""
    return _SECRET_PATH.search(url) is not None


def holds_no_objects(url: str) -> bool:
    """Whether the path is discovery or a schema."""
    return _NO_OBJECTS.search(url) is not None
