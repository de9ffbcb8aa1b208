"""NO_PROXY as Go reads it (golang.org/x/net/http/httpproxy): what is reached directly although there is a proxy."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult

from kubetrace.value import Value

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": "80", "https": "443", "socks5": "1080"}


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
