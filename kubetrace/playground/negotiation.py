"""Which form of an answer a client accepts (apiserver endpoints/handlers/negotiation, go-restful's routes).

There are two doors. Most paths are go-restful's, which looks for a type that the path produces, letter by letter. Then
the Accept header is read as RFC 9110 has it, with the parameters `as`, `v` and `g` that ask for Tables and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kubetrace.playground.encoding import encode, indented, raw
from kubetrace.playground.http import Answer, Request
from kubetrace.playground.status import ApiError

JSON, YAML, PROTOBUF = KNOWN = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
"""What the real server writes; the playground writes no protobuf."""
STREAMED = (f"{JSON};stream=watch", f"{PROTOBUF};stream=watch")
_PEOPLE = ("curl", "Wget", "Mozilla/5.0")
_META = "meta.k8s.io"
_LISTED = ("PartialObjectMetadata", "PartialObjectMetadataList")

Kind = tuple[str, str, str]
"""(group, version, kind) that an answer is to be turned into."""


@dataclass(frozen=True, slots=True)
class Form:
    """How to answer: `kind` is "", "Table", "PartialObjectMetadata" or its list; `group_version` that of the form."""

    kind: str = ""
    group_version: str = "v1"
    yaml: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """One entry of an Accept header."""

    type: str
    subtype: str
    weight: float
    parameters: dict[str, str]

    def matches(self, media: str) -> bool:
        type, _, subtype = media.partition("/")
        return (self.type, self.subtype) == ("*", "*") or (self.type == type and self.subtype in (subtype, "*"))

    @property
    def into(self) -> Kind | None:
        if not any(name in self.parameters for name in ("as", "g", "v")):
            return None
        group, version, kind = (self.parameters.get(name, "") for name in ("g", "v", "as"))
        return group, version, kind


def clauses(header: str) -> list[Clause]:
    """The entries that are well-formed, the best first, in goautoneg's order (which is no total one)."""
    found: list[Clause] = []
    for part in header.split(",") if header else ():
        media, _, rest = part.strip(" ").partition(";")
        type, *subtypes = (name.strip(" ") for name in media.split("/"))
        if not subtypes or (len(subtypes) == 1 and media.endswith("/")):
            subtypes = ["*"] if type == "*" else []
        if len(subtypes) == 2 and media.endswith("/"):
            subtypes.pop()
        if len(subtypes) != 1:
            continue
        parameters = {}
        for entry in rest.split(";"):
            name, _, value = entry.partition("=")
            if value and ("=" not in value or value.index("=") == len(value) - 1):
                parameters[name.strip(" ")] = value.partition("=")[0].strip(" ")
        found.append(Clause(type, subtypes[0], _weight(parameters.pop("q", "1")), parameters))
    for end in range(1, len(found)):  # Go's sort.Sort of a short slice
        for place in range(end, 0, -1):
            if not _before(found[place], found[place - 1]):
                break
            found[place], found[place - 1] = found[place - 1], found[place]
    return found


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _before(one: Clause, other: Clause) -> bool:
    return (
        one.weight > other.weight
        or (one.type != "*" and other.type == "*")
        or (one.subtype != "*" and other.subtype == "*")
    )


def check_route(accept: str, produced: Iterable[str]) -> None:
    """Raises 406 where a client accepts none of the types that a go-restful route writes."""
    known = [*produced]
    if "*/*" in known:
        return
    wanted = [part.partition(";")[0].strip(" ") for part in (accept or "*/*").split(",")]
    if "*/*" not in wanted and not set(wanted) & {*known}:
        told = f"406: Not Acceptable\n\nAvailable representations: {', '.join(known)}"
        raise ApiError(406, told, details={})


def refused(known: Iterable[str] = KNOWN) -> ApiError:
    return ApiError(406, f"only the following media types are accepted: {', '.join(known)}")


def _negotiate(
    accept: str, allows: Callable[[str, Kind | None], bool], versioned: bool = False
) -> tuple[str, Kind | None]:
    """(media type, what to turn the answer into). Raises 406. `versioned`: the parameter sv=v1 is allowed."""
    if not accept:
        return JSON, None
    unwritten = False
    for clause in clauses(accept):
        stream, version = clause.parameters.get("stream", ""), clause.parameters.get("sv", "")
        if version and not (versioned and version == "v1"):
            continue
        for media in KNOWN:
            fits = clause.matches(media) and (not stream or (stream == "watch" and media != YAML))
            if fits and allows(media, clause.into):
                if media != PROTOBUF:
                    return media, clause.into
                unwritten = True
    raise refused(KNOWN[:2] if unwritten else KNOWN)


def _of_resource(media: str, into: Kind | None) -> bool:
    """RequestScope.AllowsMediaTypeTransform."""
    if into is None:
        return True
    group, version, kind = into
    if group != _META or version not in ("v1", "v1beta1"):
        return False
    return (kind == "Table" and media != PROTOBUF) or kind in _LISTED


def _unchanged(_: str, into: Kind | None) -> bool:
    return into is None


def resource_form(accept: str, streaming: bool = False) -> Form:
    """How objects are to be shown. Raises 406."""
    media, into = _negotiate(accept, _of_resource, versioned=True)
    if streaming and media == YAML:
        raise refused(STREAMED)
    return Form(into[2], f"{_META}/{into[1]}", media == YAML) if into else Form(yaml=media == YAML)


def discovery_form(accept: str, kinds: Iterable[Kind]) -> tuple[str, Kind | None]:
    """(media type, one of these kinds or None) for a document about the API. Raises 406."""
    known = {*kinds}
    return _negotiate(accept, lambda _, into: into is None or into in known)


def preferred(accept: str, known: Iterable[str]) -> str:
    """The first of the types that a client accepts, by its order; empty where there is none."""
    return next((media for clause in clauses(accept or "*/*") for media in known if clause.matches(media)), "")


def written(value: Any, media: str, code: int = 200, content_type: str = "") -> Answer:
    """A document in one of the media types."""
    if media == YAML:
        from kubetrace.wire import go_yaml

        return Answer(code, go_yaml.dumps(value).encode(), content_type or YAML)
    return encode(value, code, content_type or JSON)


def failure(request: Request, error: ApiError) -> Answer:
    """A Status in a form that the client accepts, else in JSON for people (WriteRawJSON)."""
    try:
        media, _ = _negotiate(request.headers.get("accept", ""), _unchanged)
    except ApiError:
        return raw(error.status(), error.code)
    return written(error.status(), media, error.code)


def _wants_pretty(accept: str) -> bool:
    """Whether the best clause asks for indented JSON."""
    return any(clause.parameters.get("pretty") == "1" for clause in clauses(accept)[:1])


def for_people(request: Request, answer: Answer) -> Answer:
    """The answer, indented where `pretty` asks for it, or where nobody asks and the client is curl, Wget or a browser
    (isPrettyPrint in apiserver endpoints/handlers/negotiation)."""
    asked = request.parameter("pretty")
    agent = request.headers.get("user-agent", "")
    wanted = asked.lower() in ("1", "t", "true") if asked else agent.startswith(_PEOPLE)
    wanted = _wants_pretty(request.headers.get("accept", "")) or wanted
    tagged = any(name == "ETag" for name, _ in answer.headers)
    if wanted and answer.body.endswith(b"\n") and not tagged and answer.content_type == "application/json":
        answer.body = indented(answer.body)
    return answer
