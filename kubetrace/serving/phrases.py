"""What a status line says after the status, as net/http writes it (StatusText): kubectl's log shows it."""

from __future__ import annotations

from http import HTTPStatus

PHRASES = {status.value: status.phrase for status in HTTPStatus} | {
    # Go's words where Python's differ, in one version or another.
    413: "Request Entity Too Large",
    414: "Request URI Too Long",
    416: "Requested Range Not Satisfiable",
    418: "I'm a teapot",
    422: "Unprocessable Entity",
}
