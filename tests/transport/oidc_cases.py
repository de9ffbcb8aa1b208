"""kubeconfigs with the auth provider `oidc`, and what its issuer answers: recorded from kubectl by
tests/tools/record_oidc.py."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubetrace.value import Value
from tests.bad_input.server import BadServer, authority, door
from tests.transport.scripted import Asked, Step, reply


def token(payload: object) -> str:
    """A JWT with these claims, or with this payload."""
    text = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return f"e30.{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}.c2ln"


def lasting() -> str:
    return token({"exp": int(time.time()) + 3600})


GOOD = {
    "idp-issuer-url": "ISSUER",
    "client-id": "me&you",
    "client-secret": "client&secret",
    "idp-certificate-authority": "HOME/ca.pem",
    "refresh-token": "first&refresh",
}


def _but(**changes: str) -> dict[str, str]:
    changed = {**GOOD, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return {name: value for name, value in changed.items() if value != "-"}


def _form(text: str) -> bytes:
    return reply(text.encode()).replace(b"application/json", b"application/x-www-form-urlencoded", 1)


class OIDCCase(Value):
    """`settings` are the provider's; `metadata` and `tokens` what the issuer answers in place of what is well."""

    settings: dict[str, str]
    words: tuple[str, ...] = ("get", "cm", "a")
    metadata: bytes = b""
    tokens: bytes = b""


CASES: dict[str, OIDCCase] = {
    "renewed": OIDCCase(_but(id_token=token({"exp": 1})), ("get", "cm", "-v=8")),
    "new": OIDCCase(_but(client_secret="-", extra_scopes="x"), ("get", "cm", "-v=2")),
    "valid": OIDCCase(_but(id_token="LASTING"), ("get", "cm")),
    "no-settings": OIDCCase({}),
    "no-client": OIDCCase({"idp-issuer-url": "ISSUER"}),
    "no-refresh-token": OIDCCase(_but(refresh_token="-")),
    "no-jwt": OIDCCase(_but(id_token="x.y")),
    "no-base64": OIDCCase(_but(id_token="a.a%.c")),
    "cut-base64": OIDCCase(_but(id_token="a.aaaaa.c")),
    "no-claims": OIDCCase(_but(id_token=token(b"{"))),
    "text-exp": OIDCCase(_but(id_token=token({"exp": "x"}))),
    "number-text-exp": OIDCCase(_but(id_token=token({"exp": "1.5"}))),
    "null-exp": OIDCCase(_but(id_token=token({"exp": None}))),
    "no-exp": OIDCCase(_but(id_token=token({}))),
    "no-ca": OIDCCase(_but(idp_certificate_authority="-")),
    "no-ca-file": OIDCCase(_but(idp_certificate_authority="/nowhere.pem")),
    "bad-ca-data": OIDCCase(_but(idp_certificate_authority_data="%%%")),
    "no-ca-in-data": OIDCCase(_but(idp_certificate_authority_data=base64.b64encode(b"x").decode())),
    "dead-issuer": OIDCCase(_but(idp_issuer_url="https://127.0.0.1:1")),
    "issuer-path": OIDCCase(_but(idp_issuer_url="ISSUER/realm/")),
    "metadata-404": OIDCCase(_but(), metadata=reply(b"x" * 100, "404 Not Found")),
    "metadata-broken": OIDCCase(_but(), metadata=reply(b"{")),
    "metadata-empty": OIDCCase(_but(), metadata=reply(b"{}")),
    "tokens-401": OIDCCase(
        _but(), tokens=reply(b'{"error":"invalid_grant","error_description":"gone"}', "401 Unauthorized")
    ),
    "tokens-error-200": OIDCCase(_but(), tokens=reply(b'{"error":"e","error_uri":"u"}')),
    "tokens-html": OIDCCase(_but(), tokens=reply(b"<html>", "500 Oops").replace(b"application/json", b"text/html", 1)),
    "tokens-no-id": OIDCCase(_but(), tokens=reply(b'{"access_token":"a"}')),
    "tokens-no-access": OIDCCase(_but(), tokens=reply(b'{"id_token":"a"}')),
    "tokens-broken": OIDCCase(_but(), tokens=reply(b"{")),
    "tokens-form": OIDCCase(_but(), tokens=_form("access_token=a&id_token=LASTING")),
    "tokens-form-error": OIDCCase(_but(), tokens=_form("error=access_denied&error_description=a+b")),
}


@contextlib.contextmanager
def servers(case: OIDCCase, home: Path) -> Iterator[tuple[BadServer, BadServer]]:
    """The API server and the issuer, and a kubeconfig in `home` that leads to both."""
    with door("tls", home) as server, BadServer(tls=authority().server()) as issuer:
        url = f"https://127.0.0.1:{issuer.port}"

        def step(asked: Asked) -> Step:
            issuer.asked.append(asked)
            if "/.well-known/openid-configuration" in asked.line:
                return case.metadata or reply(json.dumps({"token_endpoint": url + "/token?x=y"}).encode())
            well = {"access_token": "access-token", "id_token": lasting(), "refresh_token": "second&refresh"}
            return case.tokens.replace(b"LASTING", lasting().encode()) or reply(json.dumps(well).encode())

        issuer._next = step  # type: ignore[method-assign,assignment]
        places = {"ISSUER": url, "HOME": str(home), "LASTING": lasting()}
        settings = dict(case.settings)
        for name, value in places.items():
            settings = {key: text.replace(name, value) for key, text in settings.items()}
        path = home / ".kube" / "config"
        config = json.loads(path.read_text())
        config["users"][0]["user"] = {"auth-provider": {"name": "oidc", "config": settings}}
        path.write_text(json.dumps(config))
        yield server, issuer  # type: ignore[misc]


_TOKENS = re.compile(r"e30\.[\w-]*\.c2ln")


def told(asked: list[Asked]) -> list[Any]:
    """What an issuer was asked: request line, credentials and body."""
    return [
        [one.line, *(value for name, value in one.headers if name == "Authorization"), one.body.decode()]
        for one in asked
    ]


def steady(text: str) -> str:
    return _TOKENS.sub("JWT", text)
