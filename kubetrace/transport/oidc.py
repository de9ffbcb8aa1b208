"""The auth provider `oidc`: an ID token as bearer token, and a new one where it has expired (client-go
plugin/pkg/client/auth/oidc, golang.org/x/oauth2).

Two calls make a new token: the issuer's metadata tell where it gives tokens, and the refresh token is sent there. Both
are in the log, in the middle of the call that needs the token; neither of their bodies is.
"""

from __future__ import annotations

import base64
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

from kubetrace.errors import KubetraceError
from kubetrace.kubeconfig.connection import OIDC, Connection
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Headers, Note, Purpose
from kubetrace.transport.call import Call
from kubetrace.transport.tls import make_context
from kubetrace.value import replace
from kubetrace.wire.go_json import InvalidJSON, loads
from kubetrace.wire.go_quote import quote

if TYPE_CHECKING:
    from requests.models import PreparedRequest

    from kubetrace.transport.answer import ClientAnswer
    from kubetrace.transport.client import Client

EARLY = 10.0
"""Seconds before its end at which a token counts as expired."""
_SHOWN = 80
_FORM = "application/x-www-form-urlencoded"
_WHERE = Purpose("credentials", "oidc: where does the issuer give out tokens?")
_RENEW = Purpose("credentials", "oidc: a new ID token for the refresh token")

Keep = Callable[[str, Mapping[str, str]], object]
"""Gets a kubeconfig's user and those of its settings that changed, to write them there."""


class TokenError(KubetraceError):
    """There is no valid token; `text` is client-go's wording."""

    kind = "credentials"

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(text)


class OIDCAuth:
    """Puts a valid ID token on requests. `connect` makes the client of a URL's host; `learn` gets each credential, so
    that it can be masked. Several threads get one token."""

    def __init__(
        self,
        settings: OIDC,
        *,
        connect: Callable[[str], Client],
        keep: Keep | None = None,
        learn: Callable[[str], object] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._keep = keep
        self._learn = learn or (lambda secret: None)
        self._now = now
        self._lock = threading.Lock()
        self._token = settings.id_token
        self._refresh_token = settings.refresh_token
        for secret in (settings.client_secret, self._token, self._refresh_token):
            if secret:
                self._learn(secret)

    def __call__(self, request: PreparedRequest) -> None:
        """Raises TokenError."""
        request.headers["Authorization"] = f"Bearer {self.token()}"

    def refused(self) -> None:
        """A 401 changes nothing here."""

    def token(self) -> str:
        """A valid ID token. Raises TokenError."""
        with self._lock:
            if not self._token or not is_valid(self._token, self._now()):
                self._renew()
            return self._token

    def _renew(self) -> None:
        if not self._refresh_token:
            raise TokenError("No valid id-token, and cannot refresh without refresh-token")
        endpoint = self._token_endpoint()
        answer = self._tokens(endpoint)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise TokenError(
                'token response did not contain an id_token, either the scope "openid" wasn\'t requested upon login, '
                "or the provider doesn't support id_tokens as part of the refresh response"
            )
        changed = {"id-token": token}
        refresh = answer.get("refresh_token")
        if isinstance(refresh, str) and refresh and refresh != self._refresh_token:
            changed["refresh-token"] = refresh
        if self._keep is not None:
            try:
                self._keep(self._settings.user, changed)
            except KubetraceError as error:
                raise TokenError(f"could not persist new tokens: {error}") from None
        self._token = token
        self._refresh_token = changed.get("refresh-token", self._refresh_token)

    # --- the issuer --------------------------------------------------------------------------------------------------

    def _token_endpoint(self) -> str:
        """What the metadata call `token_endpoint` (OpenID Connect Discovery 1.0)."""
        url = self._settings.issuer.removesuffix("/") + "/.well-known/openid-configuration"
        try:
            answer = self._connect(url).send(_call("GET", url, purpose=_WHERE))
            body = b"".join(answer.chunks())
        except KubetraceError as error:
            raise TokenError(str(error)) from None
        if answer.status != 200:
            shown = body[:_SHOWN] + b"..." if len(body) > _SHOWN else body
            raise TokenError(f"oidc: failed to query metadata endpoint {_status(answer)}: {quote(shown)}")
        endpoint = _object(body, "oidc: failed to decode provider discovery object").get("token_endpoint")
        if not isinstance(endpoint, str) or not endpoint:
            raise TokenError("oidc: discovery object doesn't contain a token_endpoint")
        return endpoint

    def _tokens(self, endpoint: str) -> Mapping[str, Any]:
        """The endpoint's answer: the client's name and secret go into a header first and, where the endpoint does not
        take that, into the form."""
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        name, secret = self._settings.client_id, self._settings.client_secret
        basic = base64.b64encode(f"{quote_plus(name)}:{quote_plus(secret)}".encode()).decode()
        try:
            return self._ask(endpoint, form, ("Authorization", f"Basic {basic}"))
        except TokenError:
            told = {"client_id": name, **({"client_secret": secret} if secret else {}), **form}
            return self._ask(endpoint, told)

    def _ask(self, endpoint: str, form: Mapping[str, str], *headers: tuple[str, str]) -> Mapping[str, Any]:
        body = urlencode(sorted(form.items())).encode()
        call = _call("POST", endpoint, (*headers, ("Content-Type", _FORM)), body, purpose=_RENEW)
        try:
            answer = self._connect(endpoint).send(call)
            text = b"".join(answer.chunks())
        except KubetraceError as error:
            raise TokenError(f"failed to refresh token: {error}") from None
        return self._read(answer, text)

    def _read(self, answer: ClientAnswer, text: bytes) -> Mapping[str, Any]:
        failed = not 200 <= answer.status <= 299
        kind = (answer.header("Content-Type") or "").partition(";")[0].strip().lower()
        if kind in (_FORM, "text/plain"):
            fields = parse_qs(text.decode("utf-8", "replace"))
            found: Mapping[str, Any] = {key: values[0] for key, values in fields.items()}
        else:
            try:
                found = _object(text, "failed to refresh token: oauth2: cannot parse json")
            except TokenError:
                if not failed:
                    raise
                found = {}
        for name in ("access_token", "id_token", "refresh_token"):
            if isinstance(found.get(name), str):
                self._learn(found[name])
        if failed or found.get("error"):
            raise TokenError(f"failed to refresh token: {_refusal(answer, text, found)}")
        if not found.get("access_token"):
            raise TokenError("failed to refresh token: oauth2: server response missing access_token")
        return found


def provider(
    settings: OIDC,
    *,
    events: Events,
    user_agent: str,
    environ: Mapping[str, str],
    keep: Keep | None,
    learn: Callable[[str], object] | None,
) -> OIDCAuth:
    """The provider of a kubeconfig's user; its issuer is spoken to by clients of their own, one a host. Raises
    ConnectionConfigError for what is wrong with the issuer's CA."""
    from kubetrace.transport.client import Client

    if settings.extra_scopes:
        events.emit(Note("oidc-extra-scopes"))
    trusting = Connection(
        certificate_authority=settings.certificate_authority,
        certificate_authority_data=settings.certificate_authority_data,
    )
    make_context(trusting, None)
    clients: dict[str, Client] = {}

    def connect(url: str) -> Client:
        parts = urlsplit(url)
        server = f"{parts.scheme}://{parts.netloc}"
        if server not in clients:
            clients[server] = Client(
                replace(trusting, server=server),
                events=events,
                user_agent="",
                command_headers=(("User-Agent", user_agent),),
                environ=environ,
            )
        return clients[server]

    return OIDCAuth(settings, connect=connect, keep=keep, learn=learn)


def _call(method: Any, url: str, headers: Headers = (), body: bytes | None = None, *, purpose: Purpose) -> Call:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Call(method, target, (), headers, body, "oidc", purpose, stream=True, log_request_body=False)


def _status(answer: ClientAnswer) -> str:
    return f"{answer.status} {answer.response.reason or ''}".rstrip()


def _object(text: bytes, problem: str) -> dict[str, Any]:
    from kubetrace.wire import json_stream

    try:
        value = loads(text)
    except InvalidJSON:
        raise TokenError(f"{problem}: {json_stream.problem(text)}") from None
    return value if isinstance(value, dict) else {}


def _refusal(answer: ClientAnswer, text: bytes, found: Mapping[str, Any]) -> str:
    """oauth2's RetrieveError."""
    if not found.get("error"):
        return f"oauth2: cannot fetch token: {_status(answer)}\nResponse: {text.decode('utf-8', 'surrogateescape')}"
    named = (found.get(name) for name in ("error", "error_description", "error_uri"))
    return "oauth2: " + " ".join(quote(str(value)) for value in named if value)


def is_valid(token: str, now: float) -> bool:
    """Whether a JWT goes on for a while yet; `now` in seconds since the epoch. Raises TokenError for what is none."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("ID Token is not a valid JWT")
    claims = _object(_unpadded(parts[1]), "parsing claims")
    return now + EARLY < _seconds(claims.get("exp", -62135596800))


def _unpadded(text: str) -> bytes:
    """base64.RawURLEncoding."""
    wrong = re.search(r"[^A-Za-z0-9_-]", text)
    if wrong is not None or len(text) % 4 == 1:
        place = wrong.start() if wrong is not None else len(text) // 4 * 4
        raise TokenError(f"illegal base64 data at input byte {place}")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _seconds(value: object) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        try:
            return int(float(value))
        except ValueError:
            problem = f"json: cannot unmarshal string {quote(value)} into Go value of type json.Number: invalid syntax"
    else:
        problem = 'strconv.ParseFloat: parsing "": invalid syntax'
    raise TokenError(f"parsing claims: {problem}")
