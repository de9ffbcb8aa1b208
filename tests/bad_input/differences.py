"""Where kubetrace says something else than kubectl 1.36, and why. In these cases only this is tested: an exit code of 0
or 1, no traceback, no credential."""

from __future__ import annotations

DIFFERENCES: dict[str, str] = {
    # deliberate: kubectl's words are poor
    r"cluster-info/.*": "kubectl panics (exit code 2) or names Go types when the list is of another kind",
    r"(create|apply-post|get|raw|api-resources)/long-body": "kubectl logs a line about an unsolicited response, too",
    r".*/(two-lengths|many-headers|huge-headers?)": "http.client refuses these headers in words of its own",
    r"(version|discover|api-resources.*)/(null|number|string|array)": "kubectl names Go types",
    r"(list|get)/table-(row-number|cells-text|columns-text)": "kubectl prints an empty row; kubetrace may refuse it",
    r".*/wrong-shape": "kubectl takes metadata that is no object for none; kubetrace may refuse it",
    r"(create|raw)/.*-retry-text|raw/cut-gzip|create/redirect-nowhere": "the broken body is told in other words",
    r".*/token-echo": "kubectl prints the token that the server repeats, kubetrace masks it",
    # open: kubetrace ought to say what kubectl says
    r"list/.*": "kubectl prints a failed list without 'error: ', kubetrace with it",
    r".*/(null-items|status-success|wrong-items)": "a body of another kind is no object for kubectl's printer",
    r"validate/.*": "kubectl falls back to another document when OpenAPI v3 is broken",
    r"door-(silent|full)/.*|.*/hang.*": "which of Go's clocks strikes first",
    r"door-(broken-ca|no-ca-file|bad-url)/.*": "kubectl tells a broken CA before it discovers anything",
    r"manifest-no-version/.*": "kubectl posts where the server can only say 404",
    r"config-.*/(version|config)|config-cluster/get|server-nonsense/get": "the order of checks",
}
