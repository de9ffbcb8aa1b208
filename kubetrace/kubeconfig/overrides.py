"""What the command line says over the kubeconfig (cli-runtime config_flags.go, clientcmd/overrides.go)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from kubetrace.kubeconfig.errors import ConfigError
from kubetrace.value import Value


class Overrides(Value):
    """The connection flags; empty means "not given". `extra` are --as-user-extra's KEY=VALUE texts, `timeout` is
    --request-timeout's text."""

    context: str = ""
    cluster: str = ""
    user: str = ""
    namespace: str = ""
    server: str = ""
    token: str = ""
    username: str = ""
    password: str = ""
    client_certificate: str = ""
    client_key: str = ""
    certificate_authority: str = ""
    insecure_skip_tls_verify: bool = False
    tls_server_name: str = ""
    impersonate: str = ""
    impersonate_uid: str = ""
    impersonate_groups: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    disable_compression: bool = False
    timeout: str = ""

    @classmethod
    def from_options(cls, options: Any) -> Overrides:
        """From the global options, whose fields are named as kubectl's flags."""
        same = {name: getattr(options, name) for name in _SAME_NAMES}
        return cls(
            **same,
            impersonate=options.as_,
            impersonate_uid=options.as_uid,
            impersonate_groups=options.as_group,
            extra=options.as_user_extra,
            timeout=options.request_timeout,
        )

    def impersonate_extra(self) -> dict[str, tuple[str, ...]]:
        """--as-user-extra by key; a text without "=" is passed over."""
        result: dict[str, tuple[str, ...]] = {}
        for text in self.extra:
            key, equals, value = text.partition("=")
            if equals:
                result[key] = (*result.get(key, ()), value)
        return result


_SAME_NAMES = (
    "context",
    "cluster",
    "user",
    "namespace",
    "server",
    "token",
    "username",
    "password",
    "client_certificate",
    "client_key",
    "certificate_authority",
    "insecure_skip_tls_verify",
    "tls_server_name",
    "disable_compression",
)
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_DURATION = r"[-+]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+"
_PART = r"([0-9.]+)([a-zµμ]+)"


def parse_timeout(text: str) -> float:
    """--request-timeout in seconds; 0 waits for ever (clientcmd.ParseTimeout). Raises ConfigError."""
    if text.isascii() and text.removeprefix("+").isdigit():
        return float(text)
    if text in ("-0", "+0"):
        return 0.0
    if not re.fullmatch(_DURATION, text, re.ASCII):
        raise ConfigError(
            "Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a"
            " corresponding time unit (e.g. 1s | 2m | 3h)"
        )
    seconds = sum(_parts(text))
    return -seconds if text[0] == "-" else seconds


def _parts(text: str) -> Iterable[float]:
    return (float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
