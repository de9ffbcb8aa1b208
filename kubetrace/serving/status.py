"""The Status object that an API server answers with when it refuses (metav1.Status)."""

from __future__ import annotations

from typing import Any


def failure(code: int, message: str, reason: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """A failure as a JSON value; `details` follow metav1.StatusDetails."""
    status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    status |= {"message": message} | ({"reason": reason} if reason else {})
    if details is not None:
        status["details"] = details
    return status | {"code": code}
