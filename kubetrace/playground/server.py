"""The API server: from a request to its answer, through who, may they, which object, which verb."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sqlite3
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from kubetrace.playground import credentials, http, negotiation, query
from kubetrace.playground.access import Attributes, Authenticator, Authorizer, User, refused
from kubetrace.playground.catalog import Catalog, Resource, server_facts, version_priority
from kubetrace.playground.containers.runtime import Runtime
from kubetrace.playground.controllers.loop import Controllers
from kubetrace.playground.discovery import Discovery
from kubetrace.playground.flow_control import LEVELS, SCHEMAS, FlowControl
from kubetrace.playground.fresh import add_nodes, fill, publish
from kubetrace.playground.handlers import Handlers
from kubetrace.playground.http import Answer, Request, Stream, Upgrade
from kubetrace.playground.impersonation import impersonated
from kubetrace.playground.injection import Injection
from kubetrace.playground.memory import stay_small
from kubetrace.playground.metrics import Metrics
from kubetrace.playground.objects import Object, new_uid
from kubetrace.playground.paths import Target, attributes_of, resolve
from kubetrace.playground.status import ApiError, no_such_path, not_allowed
from kubetrace.playground.storage import Store
from kubetrace.playground.subresources import STREAMED
from kubetrace.playground.tokens import Signer
from kubetrace.playground.verbs import Verbs
from kubetrace.serving.faults import Fault

_PREFIX = {"api": 5, "apis": 6}
"""How many parts a path like /api/v1/watch has, with an empty one at the end."""
_CRD = "customresourcedefinitions.apiextensions.k8s.io"
_API_SERVICES = "apiservices.apiregistration.k8s.io"


class Server:
    def __init__(self, folder: Path, latency: float = 0.0, faults: Iterable[Fault] = (), nodes: int = 1) -> None:
        """`latency`: seconds before each answer. `nodes`: how many there are at least."""
        self._folder = folder
        self._metrics = Metrics()
        self.store = Store(folder / "state.db")
        self.catalog = Catalog()
        self.store.remember("ca", (folder / "ca.crt").read_text())
        fill(self.store, self.catalog)
        add_nodes(self.store, self.catalog, nodes)
        self._flow_control = FlowControl()
        self._followed: tuple[tuple[str, Callable[[Object], None], Callable[[str], None]], ...] = (
            (_CRD, self.catalog.define, self.catalog.forget),
            (_API_SERVICES, self.catalog.register, self.catalog.deregister),
            (SCHEMAS, self._flow_control.add_schema, self._flow_control.drop_schema),
            (LEVELS, self._flow_control.add_level, self._flow_control.drop_level),
        )
        for key, added, _ in self._followed:
            for item in self.store.select(key):
                added(item)
        self._injection = Injection(latency, faults, self.catalog, self._subject)
        self._verbs = Verbs(self.store, self.catalog)
        self._verbs.signer = self._signer = Signer(folder)
        self._authenticator = Authenticator(credentials.tokens(folder), self._verbs.signer, self.store)
        self._authorizer = Authorizer(self.store)
        self._discovery = Discovery(self.catalog, self._signer)
        self._handlers = Handlers(self._verbs, self._authorizer, self._authenticator)
        self._verbs.runtime = Runtime(self.store, self._signer)
        self._verbs.runtime.network.api = self.handle
        self._controllers = Controllers(self._verbs, self._verbs.runtime, folder)
        self._listener: asyncio.Server | None = None
        self._background: list[asyncio.Task[None]] = []
        self.port = 0

    async def start(self, port: int) -> None:
        """Raises OSError where the port is taken."""
        self._listener = await http.listen(self.handle, http.server_tls(self._folder), port)
        self.port = self._listener.sockets[0].getsockname()[1]
        publish(self.store, self.catalog, self.port)
        following = (self._follow(*each) for each in self._followed)
        self._background = [
            *(asyncio.create_task(each) for each in (*following, stay_small())),
            *self._controllers.start(),
        ]

    async def stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
        ours = asyncio.current_task()
        others = [task for task in asyncio.all_tasks() if task is not ours]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        self.store.close()

    async def _follow(self, key: str, added: Callable[[Object], None], gone: Callable[[str], None]) -> None:
        """Tells of each object of a resource that is new or another, and of the names of those that are gone."""
        queue = self.store.subscribe(key)
        while (change := await queue.get()) is not None:
            if change.kind == "DELETED":
                gone(change.object["metadata"]["name"])
            else:
                added(change.object)

    async def handle(self, request: Request) -> Answer | Stream | Upgrade:
        audit = request.headers.get("audit-id") or new_uid()
        warnings: list[str] = []
        request.facts["warnings"] = warnings
        answer: Answer | Stream | Upgrade
        try:
            answer = await self._injection.around(request, self._answer)
        except ApiError as error:
            answer = negotiation.failure(request, error)
            answer.headers += error.headers
        except RecursionError:
            answer = negotiation.failure(request, ApiError(400, "the object provided is nested too deeply"))
        except sqlite3.Error as error:
            print(f"the playground cannot write its state: {error}", file=sys.stderr)
            failed = ApiError(500, f"Internal error occurred: the playground cannot write its state: {error}")
            answer = negotiation.failure(request, failed)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            failed = ApiError(500, "an error on the server has prevented the request from succeeding")
            answer = negotiation.failure(request, failed)
        if isinstance(answer, Answer):
            answer = negotiation.for_people(request, answer)
        code = 101 if isinstance(answer, Upgrade) else answer.status
        self._metrics.count(request, request.facts.get("target"), code)
        answer.headers += [("Audit-Id", audit), *request.facts.get("flow", ())]
        if not any(name == "Cache-Control" for name, _ in answer.headers):
            answer.headers.append(("Cache-Control", "no-cache, private"))
        answer.headers += [("Warning", f'299 - "{_quoted(text)}"') for text in warnings]
        return answer

    def _subject(self, request: Request) -> tuple[str, bool]:
        """("pods/log", whether it is a watch); empty for paths that are of no resource."""
        try:
            target = resolve(request, self.catalog)
        except ApiError:
            return "", False
        if target is None:
            return "", False
        request.facts["target"] = target
        return "/".join(filter(None, (target.resource.name, target.subresource))), target.verb == "watch"

    async def _answer(self, request: Request) -> Answer | Stream | Upgrade:
        _check_host(request)
        if request.target == "*" and request.method == "OPTIONS":
            return Answer(200, b"", "")
        parts = [*request.path.split("/"), ""]
        if parts[1] in ("api", "apis") and parts[-2:-1] in (["watch"], ["proxy"]) and len(parts) == _PREFIX[parts[1]]:
            why = f"failed to create RequestInfo: unable to determine kind and namespace from url, {request.path}"
            return _plain_text(500, f"Internal Server Error: {json.dumps(request.path)}: {why}\n")
        asked = attributes_of(request)
        if asked.verb not in ("watch", "proxy") and asked.subresource not in STREAMED:
            query.check_timeout(request)
        user = impersonated(request, self._authenticator.identify(request), self._authorizer, asked)
        request.facts["user"] = user
        if asked.verb == "watch" or (asked.verb != "proxy" and asked.subresource not in STREAMED):
            request.facts["flow"] = self._flow_control.headers(user, asked)
        self._authorize(user, asked)
        if parts[1] == "apis" and len(parts) > 4 and self.catalog.is_elsewhere(parts[2], parts[3]):
            return _plain_text(503, "service unavailable\n")
        target = resolve(request, self.catalog)
        request.facts["target"] = target
        accept = request.headers.get("accept", "")
        if target is None and request.method == "CONNECT":  # whose success would end HTTP
            raise not_allowed()
        if target is not None:
            if target.resource.custom is None:
                negotiation.check_route(accept, _produced(target))
            request.facts["warnings"] += self._deprecations(target.resource)
            return await self._handlers.handle(request, target)
        if routed := self._discovery.produces(request.path):
            if request.method != "GET":
                raise not_allowed()
            negotiation.check_route(accept, routed)
        answer = self._metrics.answer() if request.path == "/metrics" else self._discovery.answer(request)
        if answer is None:
            known = len(parts) > 4 and parts[2] != "" and self.catalog.is_built_in(parts[2])
            keys = request.path.startswith("/openid/v1/jwks/")
            if parts[1] == "api" or (parts[1] == "apis" and known) or keys:
                raise no_such_path()
            return _plain_text(404, "404 page not found\n")
        return answer

    def _deprecations(self, resource: Resource) -> list[str]:
        """What the use of a resource is warned of."""
        custom = resource.custom
        if custom is None:
            told = server_facts()["warnings"].get(f"{resource.group}/{resource.version}/{resource.name}")
            return [told] if told else []
        if not custom.get("deprecated"):
            return []
        if custom.get("deprecationWarning"):
            return [custom["deprecationWarning"]]
        told = f"{resource.api_version} {resource.kind} is deprecated"
        own = version_priority(resource.version)
        better = [
            other.version
            for other in self.catalog.all
            if other.key == resource.key and not (other.custom or {}).get("deprecated")
        ]
        better = sorted((version for version in better if version_priority(version) < own), key=version_priority)
        return [f"{told}; use {resource.group}/{better[0]} {resource.kind}" if better else told]

    def _authorize(self, user: User, asked: Attributes) -> None:
        allowed, why = self._authorizer.decide(user, asked)
        if allowed and asked.verb == "get" and asked.subresource in ("exec", "attach", "portforward"):
            # Since 1.35 a WebSocket's GET must be allowed as a create, too.
            asked = dataclasses.replace(asked, verb="create")
            allowed, why = self._authorizer.decide(user, asked)
        if not allowed:
            raise refused(user, asked, why)


def _produced(target: Target) -> tuple[str, ...]:
    """The media types of a built-in resource's route (apiserver endpoints/installer.go)."""
    if target.subresource == "log":
        return ("text/plain", *negotiation.KNOWN)
    if target.subresource in STREAMED:
        return ("*/*",)
    watched = target.verb in ("list", "watch") and "watch" in target.resource.verbs
    return (*negotiation.KNOWN, *(negotiation.STREAMED if watched else ()))


def _plain_text(status: int, text: str) -> Answer:
    """As Go's http.Error writes it."""
    return Answer(status, text.encode(), "text/plain; charset=utf-8", [("X-Content-Type-Options", "nosniff")])


def _check_host(request: Request) -> None:
    """Refuses foreign names: a page in somebody's browser must not reach us through DNS rebinding."""
    host = request.headers.get("host")
    if host is None:  # HTTP/1.0, which no browser speaks
        return
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and ":" in host else host
    if name.lower() not in (
        "127.0.0.1",
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "[::1]",
    ):
        raise ApiError(403, f"the playground does not answer to the host name {json.dumps(name)}", details={})


def _quoted(text: str) -> str:
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"')
