"""What an answer that is no success means, and the words kubectl ends with.

`check` turns an Answer into its decoded object or raises `StatusError`; the rules are those of client-go's
rest/request.go (Result.Get, Result.Error) and apimachinery's api/errors, the final words those of kubectl's
cmd/util/helpers.go (CheckErr).
"""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import Any

from kubetrace.api.go_words import json_problem, quoted, struct_json
from kubetrace.api.resources import GroupResource
from kubetrace.errors import KubetraceError
from kubetrace.trace.events import Events
from kubetrace.trace.exchange import Note
from kubetrace.transport.call import Answer
from kubetrace.transport.errors import TransportError

UNSTRUCTURED_LIMIT = 2048
"""How many bytes of a body that is no Status become part of a message (rest/request.go)."""

_KNOWN_REASONS = frozenset(
    (
        "Unauthorized",
        "Forbidden",
        "NotFound",
        "AlreadyExists",
        "Conflict",
        "Gone",
        "Invalid",
        "ServerTimeout",
        "StoreReadError",
        "Timeout",
        "TooManyRequests",
        "BadRequest",
        "MethodNotAllowed",
        "NotAcceptable",
        "RequestEntityTooLarge",
        "UnsupportedMediaType",
        "InternalError",
        "Expired",
        "ServiceUnavailable",
    )
)


class StatusError(KubetraceError):
    """A Status object from the server, or the one client-go makes up where the server sent none."""

    def __init__(self, status: Mapping[str, Any]) -> None:
        self.status: dict[str, Any] = dict(status)
        super().__init__(str(self.status.get("message") or ""))

    @property
    def message(self) -> str:
        return str(self.status.get("message") or "")

    @property
    def reason(self) -> str:
        return str(self.status.get("reason") or "")

    @property
    def code(self) -> int:
        code = self.status.get("code")
        return code if isinstance(code, int) else 0

    @property
    def details(self) -> dict[str, Any]:
        details = self.status.get("details")
        return details if isinstance(details, dict) else {}

    def __str__(self) -> str:
        return self.message

    def without_type(self) -> StatusError:
        """As client-go's typed clients decode it: kind and apiVersion are gone (--raw)."""
        return StatusError({key: value for key, value in self.status.items() if key not in ("kind", "apiVersion")})

    def with_message(self, message: str) -> StatusError:
        """The same failure in other words."""
        return StatusError({**self.status, "message": message})

    def means(self, reason: str, code: int) -> bool:
        """Whether this is the failure `reason`, or carries its code with no reason that is known (errors.IsX)."""
        return self.reason == reason or (self.reason not in _KNOWN_REASONS and self.code == code)

    @property
    def causes(self) -> list[dict[str, Any]]:
        details = self.status.get("details")
        found = details.get("causes") if isinstance(details, dict) else None
        return [cause for cause in found or [] if isinstance(cause, dict)]

    def user_message(self) -> str:
        """The line for people (StandardErrorMessage)."""
        if self.reason == "Unauthorized":
            return f"error: You must be logged in to the server ({self.message})"
        if self.reason:
            return f"Error from server ({self.reason}): {self.message}"
        return f"Error from server: {self.message}"

    def lines(self) -> list[str]:
        text = self._invalid_text() if self.reason == "Invalid" else self.user_message()
        return text.split("\n")

    def _invalid_text(self) -> str:
        details = self.status.get("details")
        head = "The request is invalid"
        if not isinstance(details, dict):
            return f"{head}: {self.message}" if self.message else head
        causes = self.causes
        if details.get("kind") or details.get("name"):
            head = f"The {details.get('kind') or ''} {quoted(str(details.get('name') or ''))} is invalid"
        elif self.message and not causes:
            head += f": {self.message}"
        if not causes:
            return head
        texts = dict.fromkeys(f"{cause.get('field') or ''}: {cause.get('message') or ''}" for cause in causes)
        if len(texts) == 1:
            return f"{head}: {next(iter(texts))}\n"
        return f"{head}: \n" + "".join(f"* {text}\n" for text in texts)


def not_found(resource: GroupResource, name: str) -> StatusError:
    """What client-go says of an object that it found missing itself (errors.NewNotFound)."""
    details = {"name": name, **({"group": resource.group} if resource.group else {}), "kind": resource.resource}
    message = f"{resource} {quoted(name)} not found"
    return StatusError(
        {"metadata": {}, "status": "Failure", "message": message, "reason": "NotFound", "details": details, "code": 404}
    )


def is_not_found(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("NotFound", 404)


def is_already_exists(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("AlreadyExists", 409)


def is_conflict(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("Conflict", 409)


def is_forbidden(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("Forbidden", 403)


def is_invalid(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("Invalid", 422)


def is_gone(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("Gone", 410)


def is_expired(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "Expired"


def is_bad_request(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("BadRequest", 400)


def is_too_many_requests(error: BaseException) -> bool:
    """The code alone decides, whatever the reason (errors.IsTooManyRequests)."""
    return isinstance(error, StatusError) and (error.reason == "TooManyRequests" or error.code == 429)


def is_too_large_version(error: BaseException) -> bool:
    """A resourceVersion that the server has not come to yet (errors.HasStatusCause)."""
    return isinstance(error, StatusError) and any(
        cause.get("reason") == "ResourceVersionTooLarge" for cause in error.causes
    )


def is_method_not_allowed(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("MethodNotAllowed", 405)


def is_unsupported_media_type(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.means("UnsupportedMediaType", 415)


# --- answers ---------------------------------------------------------------------------------------------------------


def check(
    answer: Answer,
    resource: GroupResource | None = None,
    name: str = "",
    *,
    events: Events | None = None,
    typed: bool = False,
) -> Any:
    """The object in a good answer. Raises StatusError for a Status that is no success, whatever the code, and
    KubetraceError for an answer that can't be decoded (Result.Get), in the words of typed clients where `typed`."""
    media = media_type(answer.header("Content-Type"))
    if not is_success(answer.status):
        raise failure(answer, resource, name, events=events)
    if media not in ("", "application/json"):
        raise KubetraceError(f"serializer for {answer.header('Content-Type')} doesn't exist")
    value = decode_typed(answer.body) if typed else decode(answer.body)
    if _is_status(value) and value.get("status") != "Success":
        raise StatusError(value)
    return value


def _is_status(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "Status" and value.get("apiVersion") in ("v1", None)


def raw(answer: Answer) -> bytes:
    """A good answer's body. Raises StatusError in generic words: discovery, /version and `--raw` never look for a
    Status in the body (Result.Raw)."""
    if not is_success(answer.status):
        raise generic_failure(answer)
    return answer.body


def is_success(code: int) -> bool:
    """200 to 206, as client-go counts."""
    return 200 <= code <= 206


def failure(
    answer: Answer, resource: GroupResource | None = None, name: str = "", *, events: Events | None = None
) -> StatusError:
    """The error in a bad answer: its Status object, or else client-go's words for its code (Result.Error)."""
    from kubetrace.wire.go_json import InvalidJSON, loads

    generic = generic_failure(answer, resource, name)
    if media_type(answer.header("Content-Type")) not in ("", "application/json") or not answer.body:
        return generic
    try:
        value = loads(answer.body)
    except InvalidJSON:
        _note_undecodable(events, json_problem(answer.body))
        return generic
    if isinstance(value, dict) and value.get("kind", "Status") == "Status" and value.get("status") == "Failure":
        return StatusError(value)
    return generic


def _note_undecodable(events: Events | None, problem: str) -> None:
    if events is not None and events.active:
        events.emit(Note("body-not-decodable", {"error": f"couldn't get version/kind; json parse error: {problem}"}))


def decode(body: bytes) -> Any:
    """An object's JSON. Raises KubetraceError in Go's words."""
    from kubetrace.wire.go_json import InvalidJSON, json_type, loads

    try:
        value = loads(body)
    except InvalidJSON:
        raise KubetraceError(json_problem(body)) from None
    if value is None or (isinstance(value, dict) and not value.get("kind")):
        text = body.decode("utf-8", "surrogateescape")
        raise KubetraceError(f"Object 'Kind' is missing in '{text}'")
    if not isinstance(value, dict):
        raise KubetraceError(f"json: cannot unmarshal {json_type(value)} into Go value of type unstructured.detector")
    if "items" in value:
        value["items"] = _items(value["items"])
    return value


def _items(items: Any) -> list[Any]:
    """A list is what has "items", and then they must be objects in an array, or null (unstructured's decodeToList)."""
    from kubetrace.wire.go_json import json_type

    if items is None:
        return []
    if not isinstance(items, list):
        place = "Go struct field decodeList.items of type []jsontext.Value"
        raise KubetraceError(f"json: cannot unmarshal {json_type(items)} into {place}")
    for item in items:
        if item is not None and not isinstance(item, dict):
            raise KubetraceError(
                f"json: cannot unmarshal {json_type(item)} into Go value of type map[string]interface {{}}"
            )
    return [item or {} for item in items]


def decode_typed(body: bytes) -> Any:
    """An object as client-go's typed clients decode it: they are the first to look for the kind, in other words."""
    from kubetrace.wire.go_json import InvalidJSON, loads, no_object

    try:
        value = loads(body)
    except InvalidJSON:
        problem = json_problem(body)
    else:
        if value is None or isinstance(value, dict):
            return decode(body)
        problem = no_object(value)
    raise KubetraceError(f"couldn't get version/kind; json parse error: {problem}")


def decode_struct(body: bytes, go_type: str) -> dict[str, Any]:
    """A JSON object for one of Go's structs; null is an empty one. Raises KubetraceError in encoding/json's words."""
    from kubetrace.wire.go_json import InvalidJSON, json_type, loads

    try:
        value = loads(body)
    except InvalidJSON:
        raise KubetraceError(json_problem(body)) from None
    if value is not None and not isinstance(value, dict):
        raise KubetraceError(f"json: cannot unmarshal {json_type(value)} into Go value of type {go_type}")
    return value or {}


def media_type(header: str | None) -> str:
    """The type in a Content-Type header, in lower case, without parameters."""
    return (header or "").partition(";")[0].strip().lower()


def media_parameters(header: str | None) -> dict[str, str]:
    """A Content-Type header's parameters."""
    message = Message()
    message["Content-Type"] = header or ""
    return {key: value for key, value in message.get_params() or [] if value}


def generic_failure(answer: Answer, resource: GroupResource | None = None, name: str = "") -> StatusError:
    """client-go's own Status for a code (errors.NewGenericServerResponse)."""
    from kubetrace.wire.server_words import server_words

    text = "unknown"
    header = answer.header("Content-Type")
    if not header or media_type(header).startswith("text/"):
        text = answer.body[:UNSTRUCTURED_LIMIT].decode("utf-8", "replace").strip()
    reason, message = server_words(answer.status, answer.method, text)
    if resource is not None and (resource.group or resource.resource):
        subject = f"{answer.method.lower()} {resource} {name}".rstrip()
        message = f"{message} ({subject})"
    details = {
        "name": name,
        "group": resource.group if resource else "",
        "kind": resource.resource if resource else "",
        "causes": [{"reason": "UnexpectedServerResponse", "message": text}],
        "retryAfterSeconds": _whole(answer.header("Retry-After")),
    }
    return StatusError(
        {
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason,
            "details": {key: value for key, value in details.items() if value},
            "code": answer.status,
        }
    )


def _whole(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0


# --- telling ---------------------------------------------------------------------------------------------------------


def debug_note(error: BaseException, alone: bool = True) -> Note | None:
    """What kubectl logs at -v=4 before it prints an error's standard words; None where it logs nothing. A lone error of
    what is invalid has words of its own."""
    if isinstance(error, StatusError) and not (alone and error.reason == "Invalid"):
        return Note("server-response-object", {"json": struct_json(ordered(error.status), indent=2).decode()})
    if isinstance(error, TransportError) and error.recognized:
        return Note("connection-error", {"op": error.operation, "url": error.url, "error": error.reason})
    return None


_STATUS_KEYS = ("kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code")
_DETAILS_KEYS = ("name", "group", "kind", "uid", "causes", "retryAfterSeconds")
_CAUSE_KEYS = ("reason", "message", "field")


def ordered(status: Mapping[str, Any]) -> dict[str, Any]:
    """A Status with its keys in the order of Go's struct, empty ones left out (metadata stays)."""
    result = {key: status[key] for key in _STATUS_KEYS if key != "metadata" and status.get(key)}
    result["metadata"] = status.get("metadata") or {}
    if isinstance(status.get("details"), dict):
        details = status["details"]
        result["details"] = {key: details[key] for key in _DETAILS_KEYS if details.get(key)}
        if details.get("causes"):
            result["details"]["causes"] = [
                {key: cause[key] for key in _CAUSE_KEYS if cause.get(key)} for cause in details["causes"]
            ]
    return {key: result[key] for key in _STATUS_KEYS if key in result}
