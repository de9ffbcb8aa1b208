"""What client-go says of an answer that is no Status, by its code (apimachinery errors.NewGenericServerResponse)."""

from __future__ import annotations

from kubetrace.wire.go_quote import quote

_WORDS = {
    400: ("BadRequest", "the server rejected our request for an unknown reason"),
    401: ("Unauthorized", "the server has asked for the client to provide credentials"),
    404: ("NotFound", "the server could not find the requested resource"),
    405: ("MethodNotAllowed", "the server does not allow this method on the requested resource"),
    409: ("Conflict", "the server reported a conflict"),
    422: ("Invalid", "the server rejected our request due to an error in our request"),
    429: ("TooManyRequests", "the server has received too many requests and has asked us to try again later"),
    503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
    504: (
        "Timeout",
        "the server was unable to return a response in the time allotted, but may still be processing the request",
    ),
}


def server_words(code: int, method: str, text: str) -> tuple[str, str]:
    """(reason, message); `text` is the body where that is text, else "unknown"."""
    if code == 409 and method == "POST":
        return "AlreadyExists", _WORDS[409][1]
    if code in _WORDS:
        return _WORDS[code]
    if code == 403:
        return "Forbidden", text
    if code == 406:
        known = text and text != "unknown"
        return "NotAcceptable", text if known else (
            "the server was unable to respond with a content type that the client supports"
        )
    if code == 415:
        return "UnsupportedMediaType", text
    if code >= 500:
        return "InternalError", f"an error on the server ({quote(text)}) has prevented the request from succeeding"
    return "", f"the server responded with the status code {code} but did not return more information"
