"""Notes of proxy (kubectl pkg/cmd/proxy, pkg/proxy; apimachinery pkg/util/proxy/upgradeaware.go)."""

from __future__ import annotations

from collections.abc import Mapping

from kubetrace.trace.dialects.lines import Line, NoteSpec, lines, structured

_REQUEST = ("method", "path", "host")
_LOCATION = (("location", "location"), ("headers", "headers"))


def _proxy(text: str, *numbers: int) -> dict[str, Line]:
    return lines("proxy.go", text, dict(zip(("1.19", "1.21", "1.23", "1.28", "1.37"), numbers, strict=True)))


def _server(text: str, *numbers: int) -> dict[str, Line]:
    return lines("proxy_server.go", text, dict(zip(("1.19", "1.21"), numbers, strict=True)))


def _upgrade(text: str, *numbers: int) -> dict[str, Line]:
    releases = ("1.19", "1.21", "1.22", "1.23", "1.24", "1.28", "1.30")
    return lines("upgradeaware.go", text, dict(zip(releases, numbers, strict=True)))


GATEWAY_NOTES: Mapping[str, NoteSpec] = {
    "proxy-server-path": NoteSpec(
        0,
        ("path",),
        lines(
            "proxy.go",
            "Your kube context contains a server path {path}, use --append-server-path to automatically append the "
            "path to each request",
            {"1.23": 170, "1.28": 172},
        ),
        "W",
    ),
    "proxy-unfiltered": NoteSpec(
        0,
        (),
        _proxy(
            "Request filter disabled, your proxy is vulnerable to XSRF attacks, please be cautious",
            *(167, 162, 175, 177, 177),
        ),
        "W",
    ),
    "proxy-relaxed": NoteSpec(
        0,
        (),
        lines(
            "proxy.go",
            "Request filter has been relaxed, your proxy may be vulnerable to attacks, please be cautious",
            {"1.37": 182},
        ),
        "W",
    ),
    "proxy-no-folder": NoteSpec(
        0,
        ("path", "error"),
        _proxy("Failed to stat static file directory {path}: {error}", 190, 185, 198, 200, 203),
        "W",
    ),
    "proxy-not-a-folder": NoteSpec(
        0,
        ("path",),
        _proxy("Static file directory {path} is not a directory", 192, 187, 200, 202, 205),
        "W",
    ),
    "proxy-bad-regexp": NoteSpec(0, ("error",), _server("Error compiling re: {error}", 80, 83), "F"),
    "proxy-matched": NoteSpec(6, ("text", "regexp"), _server("{text} matched {regexp}", 88, 91)),
    "proxy-accepting": NoteSpec(
        3, ("method", "path", "host"), _server("Filter accepting {method} {path} {host}", 128, 131)
    ),
    "proxy-rejecting": NoteSpec(
        3, ("method", "path", "host"), _server("Filter rejecting {method} {path} {host}", 132, 135)
    ),
    "proxy-error": NoteSpec(0, ("error",), _server("Error while proxying request: {error}", 144, 147), "E"),
    "proxy-no-upgrade": NoteSpec(
        6,
        (),
        {
            **_upgrade("Request was not an upgrade", 259, 270, 297, 316, 311, 310, 311),
            **structured("upgradeaware.go", "Request was not an upgrade", (), {"1.36": 312}),
        },
    ),
    "proxy-dialing-direct": NoteSpec(
        6,
        ("location", "headers"),
        {
            **_upgrade(
                "Connecting to backend proxy (direct dial) {location}\n  Headers: {headers}",
                *(284, 295, 322, 344, 335, 334, 335),
            ),
            **structured("upgradeaware.go", "Connecting to backend proxy (direct dial)", _LOCATION, {"1.36": 336}),
        },
    ),
    "proxy-dialing": NoteSpec(
        6,
        ("headers",),
        {
            **lines(
                "upgradeaware.go", "UpgradeAwareProxy: dialing for SPDY upgrade with headers: {headers}", {"1.30": 340}
            ),
            **structured(
                "upgradeaware.go",
                "UpgradeAwareProxy: dialing for SPDY upgrade with headers",
                (("headers", "headers"),),
                {"1.36": 341},
            ),
        },
    ),
    "proxy-no-connection": NoteSpec(
        6,
        ("error",),
        {
            **_upgrade("Proxy connection error: {error}", 298, 312, 339, 361, 351, 350, 352),
            **structured("upgradeaware.go", "Proxy connection error", (("err", "error"),), {"1.36": 353}),
        },
    ),
    "proxy-upgrade-error": NoteSpec(
        0,
        ("error",),
        {
            **_upgrade("Proxy upgrade error: {error}", 312, 326, 353, 375, 365, 364, 366),
            **structured("upgradeaware.go", "Proxy upgrade error", (("err", "error"),), {"1.36": 367}),
        },
        "E",
    ),
    "proxy-upgrade-refused": NoteSpec(
        6,
        ("status",),
        {
            **_upgrade("Proxy upgrade error, status code {status}", 335, 349, 376, 398, 388, 387, 389),
            **structured("upgradeaware.go", "Proxy upgrade error", (("statusCode", "status"),), {"1.36": 390}),
        },
    ),
    "proxy-upgraded": NoteSpec(
        6,
        ("length",),
        {
            **_upgrade("Writing {length} bytes to hijacked connection", 351, 365, 392, 414, 404, 403, 405),
            **structured("upgradeaware.go", "Writing to hijacked connection", (("length", "length"),), {"1.36": 406}),
        },
    ),
    "proxy-disconnected": NoteSpec(
        6,
        ("location", "headers"),
        {
            **_upgrade(
                "Disconnecting from backend proxy {location}\n  Headers: {headers}",
                *(398, 412, 439, 461, 451, 450, 452),
            ),
            **structured("upgradeaware.go", "Disconnecting from backend proxy", _LOCATION, {"1.36": 453}),
        },
    ),
}
