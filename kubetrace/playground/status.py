"""Failures as the API server words them: a Status object with code, reason, message and details."""

from __future__ import annotations

from typing import Any

from kubetrace.serving.status import failure
from kubetrace.wire.go_quote import quote

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    406: "NotAcceptable",
    409: "Conflict",
    410: "Expired",
    413: "RequestEntityTooLarge",
    415: "UnsupportedMediaType",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    501: "NotImplemented",
}


class ApiError(Exception):
    """Ends a request with a Status. `details` follows metav1.StatusDetails; an empty reason is not shown."""

    def __init__(
        self, code: int, message: str, reason: str | None = None, details: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = _REASONS.get(code, "") if reason is None else reason
        self.details = details
        self.headers: list[tuple[str, str]] = []
        """What the answer's head says beside what each one does."""
        if details and "retryAfterSeconds" in details:
            self.headers.append(("Retry-After", str(details["retryAfterSeconds"])))
        self.metadata: dict[str, Any] = {}
        """metav1.ListMeta: where a list could go on."""

    def status(self) -> dict[str, Any]:
        return failure(self.code, str(self), self.reason, self.details) | {"metadata": self.metadata}


def qualified(resource: str, group: str) -> str:
    return f"{resource}.{group}" if group else resource


def _details(resource: str, group: str, name: str) -> dict[str, Any]:
    details = {"name": name, "group": group, "kind": resource}
    return {key: value for key, value in details.items() if value}


def not_found(resource: str, group: str, name: str) -> ApiError:
    message = f"{qualified(resource, group)} {quote(name)} not found"
    return ApiError(404, message, details=_details(resource, group, name))


def not_supported(verb: str, resource: str, group: str) -> ApiError:
    """A custom resource's word for a verb that it lacks."""
    told = f'{verb} is not supported on resources of kind "{qualified(resource, group)}"'
    return ApiError(405, told, details={"group": group, "kind": resource})


def no_such_path() -> ApiError:
    return ApiError(404, "the server could not find the requested resource", details={})


def not_allowed() -> ApiError:
    return ApiError(405, "the server does not allow this method on the requested resource", details={})


def misnamed(found: Any, wanted: str) -> ApiError:
    """For a body that is another object's than the URL's."""
    return ApiError(400, f"the name of the object ({found}) does not match the name on the URL ({wanted})")


def unnamed(wanted: str) -> ApiError:
    """For a body without a name."""
    told = f"the name of the object ({wanted} based on URL) was undeterminable: name must be provided"
    return ApiError(400, told)


def already_exists(resource: str, group: str, name: str) -> ApiError:
    message = f"{qualified(resource, group)} {quote(name)} already exists"
    return ApiError(409, message, "AlreadyExists", _details(resource, group, name))


def conflict(resource: str, group: str, name: str, why: str = "") -> ApiError:
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    message = f"Operation cannot be fulfilled on {qualified(resource, group)} {quote(name)}: {why}"
    return ApiError(409, message, details=_details(resource, group, name))


def forbidden(resource: str, group: str, name: str, why: str) -> ApiError:
    named = f"{qualified(resource, group)} {quote(name)}" if name else qualified(resource, group)
    return ApiError(403, f"{named} is forbidden: {why}", details=_details(resource, group, name))


def invalid(kind: str, group: str, name: str, causes: list[tuple[str, str, str]]) -> ApiError:
    """`causes` are (field, reason, message): field.ErrorList as metav1.StatusCauses."""
    texts = list(dict.fromkeys(f"{field}: {message}" for field, _, message in causes))
    told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details = _details(kind, group, name)
    details["causes"] = [{"reason": reason, "message": message, "field": field} for field, reason, message in causes]
    return ApiError(422, f"{qualified(kind, group)} {quote(name)} is invalid: {told}", details=details)
