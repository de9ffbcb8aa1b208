"""Which proxy a request goes through: the kubeconfig's proxy-url, else the environment as Go reads it.

The environment's rules are golang.org/x/net/http/httpproxy's; requests' own differ (no CIDRs with ports, "localhost"
not exempt), so the Session never looks at the environment itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, urlsplit

from kubetrace.transport.errors import ConnectionConfigError
from kubetrace.value import Value

ProxyFor = Callable[[str], str | None]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": "80", "https": "443", "socks5": "1080"}
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


class NoProxy(Value):
    """NO_PROXY, taken apart: networks, addresses and domains (each with its port or ""), or everything ("*")."""

    everything: bool = False
    networks: tuple[Network, ...] = ()
    addresses: tuple[tuple[Address, str], ...] = ()
    domains: tuple[tuple[str, str, bool], ...] = ()

    @classmethod
    def parse(cls, text: str) -> NoProxy:
        networks: list[Network] = []
        addresses: list[tuple[Address, str]] = []
        domains: list[tuple[str, str, bool]] = []
        for entry in (part.strip().lower() for part in text.split(",")):
            if entry == "*":
                return cls(everything=True)
            network = _network(entry)
            host, port = _host_port(entry)
            address = _address(host)
            if network is not None:
                networks.append(network)
            elif address is not None:
                addresses.append((address, port))
            elif host:
                host = host.removeprefix("*")
                domains.append((host if host.startswith(".") else "." + host, port, not host.startswith(".")))
        return cls(False, tuple(networks), tuple(addresses), tuple(domains))

    def covers(self, url: SplitResult) -> bool:
        """Whether a URL is to be reached directly. localhost and loopback addresses always are."""
        host = (url.hostname or "").lower()
        port = str(url.port or _PORTS.get(url.scheme, ""))
        address = _address(host)
        if self.everything or host == "localhost" or (address is not None and address.is_loopback):
            return True
        if address is not None:
            return self._covers_address(address, port)
        return any(
            (host.endswith(domain) or (itself and host == domain[1:])) and wanted in ("", port)
            for domain, wanted, itself in self.domains
        )

    def _covers_address(self, address: Address, port: str) -> bool:
        return any(address in network for network in self.networks) or any(
            address == known and wanted in ("", port) for known, wanted in self.addresses
        )


def _network(entry: str) -> Network | None:
    if "/" not in entry:
        return None
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _address(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _host_port(entry: str) -> tuple[str, str]:
    """Go's net.SplitHostPort, with the whole entry as host where there is no port."""
    if entry.startswith("["):
        host, _, rest = entry[1:].partition("]")
        return host, rest.removeprefix(":")
    if entry.count(":") == 1:
        host, _, port = entry.partition(":")
        return host, port
    return entry, ""
