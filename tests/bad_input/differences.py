"""Where kubetrace says something else than kubectl 1.36 on purpose, and why. In these cases this is tested instead: an
exit code of 0 or 1, at most one line, no credential."""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {
    r"cluster-info/(other-kind|null-items|invalid-utf8|status-success)": "kubectl panics on a list of another kind",
    r"cluster-info/(wrong-shape|wrong-items)": "kubectl names the Go struct that the answer does not fit",
    r"cluster-info/protobuf": "kubectl could read protobuf, and stops in the middle of it",
    r"raw/cut-gzip": "a byte more or less of what could be unpacked",
    r"server-nonsense/get": "kubectl takes a server without a host for this machine's port 80",
}
