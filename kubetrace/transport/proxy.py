"""Which proxy a request goes through: the kubeconfig's proxy-url, else the environment as Go reads it.

The environment's rules are golang.org/x/net/http/httpproxy's; requests' own differ (no CIDRs with ports, "localhost"
not exempt), so the Session never looks at the environment itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from kubetrace.transport.errors import ConnectionConfigError

ProxyFor = Callable[[str], str | None]
_SCHEMES = ("http", "https", "socks5")


def proxy_for(proxy_url: str, environ: Mapping[str, str]) -> ProxyFor:
    """A function from a request URL to its proxy's URL, or None for a direct connection. A proxy-url from the
    kubeconfig serves every request. Raises ConnectionConfigError for one that can't be used."""
    if proxy_url:
        chosen = _kubeconfig_proxy(proxy_url)
        return lambda url: chosen
    proxies = {
        "http": _parse(_first(environ, "HTTP_PROXY", "http_proxy")),
        "https": _parse(_first(environ, "HTTPS_PROXY", "https_proxy")),
    }
    if not any(proxies.values()):
        return lambda url: None
    from kubetrace.transport.no_proxy import NoProxy

    exempt = NoProxy.parse(_first(environ, "NO_PROXY", "no_proxy"))

    def from_environment(url: str) -> str | None:
        parts = urlsplit(url)
        proxy = proxies.get(parts.scheme)
        return proxy if proxy and not exempt.covers(parts) else None

    return from_environment


def _kubeconfig_proxy(url: str) -> str:
    """clientcmd's parseProxyURL (tools/clientcmd/helpers.go): http, https and socks5 are understood."""
    scheme = urlsplit(url).scheme
    if scheme not in _SCHEMES:
        raise ConnectionConfigError(f'unsupported scheme "{scheme}", must be http, https, or socks5')
    return _remote_lookup(url)


def _remote_lookup(url: str) -> str:
    """Go leaves look-ups to a SOCKS5 proxy; urllib3 calls that scheme socks5h."""
    return "socks5h" + url[len("socks5") :] if url.startswith("socks5://") else url


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name] for name in names if environ.get(name)), "")


def _parse(proxy: str) -> str | None:
    if not proxy:
        return None
    parts = urlsplit(proxy)
    if not parts.scheme or not parts.netloc:
        proxy = "http://" + proxy
    return _remote_lookup(proxy)
