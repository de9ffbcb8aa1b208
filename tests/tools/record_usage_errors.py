"""Records what the real kubectl says to wrong command lines, for tests/cmdline.

    python tests/tools/record_usage_errors.py KUBECTL > tests/cmdline/usage_errors.json

The file says which kubectl it was; each entry is argv, stderr, stdout's first line and the exit code.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

COMMANDS = [
    ["get", "--foo"],
    ["get", "-Z"],
    ["get", "-v"],
    ["get", "--v"],
    ["get", "-v=abc"],
    ["get", "-v=99999999999"],
    ["get", "-v", ""],
    ["get", "-v8x"],
    ["get", "--v=1e3"],
    ["get", "--all-namespaces=maybe"],
    ["get", "-A=maybe"],
    ["get", "pods", "-o"],
    ["get", "pods", "--output"],
    ["get", "--chunk-size=abc"],
    ["get", "--chunk-size", "9223372036854775808"],
    ["get", "--chunk-size=1.5"],
    ["get", "--chunk-size=0x"],
    ["get", "--chunk-size=_1"],
    ["get", "--log-flush-frequency=abc"],
    ["get", "--vmodule=foo"],
    ["get", "--vmodule=foo=x"],
    ["get", "--vmodule==3"],
    ["get", "--vmodule=foo=-1"],
    ["get", "--vmodule=a=1,b"],
    ["get", "--as-user-extra"],
    ["get", "--=x"],
    ["get", "---x"],
    ["get", "-="],
    ["get", "-é"],
    ["get", "--é"],
    ["get", "-Awx"],
    ["get", "--all-namespace"],
    ["get", "pods", "--foo=bar", "--baz"],
    ["get", "--watch=2"],
    ["get", "-w=yes"],
    ["get", "--all_namespaces=x"],
    ["--foo"],
    ["--foo", "get"],
    ["-v=8", "get", "--foo"],
    ["--version"],
    ["-x"],
    ["gte"],
    ["versoin"],
    ["foo", "bar"],
    ["ls"],
    ["list"],
    ["rm"],
    ["remove", "pods"],
    ["GET"],
    ["Get", "pods"],
    ["ge"],
    ["del"],
    ["api"],
    ["api-resource"],
    ["clusterinfo"],
    ["conf"],
    ["xyzzyxyzzy"],
    ["-v=8", "xyzzyxyzzy"],
    ["--namespace", "x", "xyzzyxyzzy"],
    ["-nx", "xyzzyxyzzy"],
    ["config", "foo"],
    ["config", "--foo"],
    ["config", "view", "--foo"],
    ["config", "usecontext"],
    ["version", "--client=false=x"],
    ["version", "--client=T="],
    ["version", "-c"],
    ["version", "extra"],
    ["version", "--output=foo"],
    ["version", "-ofoo"],
    ["version", "--client", "--output", "xml"],
    ["version", "--profile=foo", "--client"],
    ["version", "--client", "--namespace"],
    ["version", "--client", "-n"],
    ["version", "--client", "--insecure-skip-tls-verify=2"],
    ["version", "--client", "--", "--foo"],
    ["version", "--client", "--warnings-as-errors=x"],
    ["version", "--client", "--as-group"],
    ["version", "--client", "--disable-compression=nope"],
    ["delete", "--grace-period=x"],
    ["delete", "--timeout=5"],
    ["delete", "--timeout=5x"],
    ["delete", "--timeout=x"],
    ["delete", "--timeout="],
    ["delete", "--timeout=1.5.5s"],
    ["apply", "--server-side=x"],
    ["create", "--windows-line-endings=x", "-f", "-"],
    ["options", "--foo"],
    ["api-versions", "x"],
    ["api-resources", "x"],
    ["completion"],
    ["completion", "tcsh"],
    ["completion", "bash", "zsh"],
    ["--vmodule=foo", "version", "--client"],
    ["--log-flush-frequency=x", "version", "--client"],
    ["--log-flush-frequency=5", "version", "--client"],
    ["--request-timeout=x", "get", "--raw", "/x"],
    ["--request-timeout=1.5", "get", "--raw", "/x"],
    ["--insecure-skip-tls-verify=maybe", "version", "--client"],
    ["--match-server-version=maybe", "version", "--client"],
    ["--token=a", "--username=b", "get", "--raw", "/x", "--server=https://127.0.0.1:1"],
    ["--client-key=/nope", "get", "--raw", "/x", "--server=https://127.0.0.1:1"],
    ["--client-certificate=/nope", "--client-key=/nope", "get", "--raw", "/x", "--server=https://127.0.0.1:1"],
    ["--certificate-authority=/nope", "get", "--raw", "/x", "--server=https://127.0.0.1:1"],
    ["--certificate-authority=/etc/passwd", "get", "--raw", "/x", "--server=https://127.0.0.1:1", "--token=t"],
    ["--kubeconfig=/nope", "get", "cm"],
    ["--context=x", "get", "cm"],
    ["--cluster=x", "get", "cm"],
    ["--user=x", "get", "cm"],
    ["--kuberc=/nope", "version", "--client"],
    ["--profile=", "version", "--client"],
    ["-vv", "version", "--client"],
    ["--server", "get", "cm"],
    ["get", "cm", "--sort-by"],
    ["get", "cm", "-L"],
    ["gets"],
    ["config", "use-contexts"],
    ["config", "nope"],
    ["completion", "nope"],
    ["options", "x"],
    ["help", "get", "nope"],
    ["create"],
    ["apply"],
    ["delete"],
    ["delete", "cm", "a", "--now", "--grace-period=5"],
    ["create", "-f", "x", "--dry-run=foo"],
    ["create", "-f", "x", "--validate=foo"],
    ["delete", "cm", "a", "--cascade=foo"],
    ["apply", "-f", "x", "--cascade=foo"],
    ["apply", "-f", "x", "--server-side", "--dry-run=client"],
    ["get", "--raw", "/x", "extra"],
    ["get", "--raw", "x"],
    ["get", "--raw", "/x", "-o", "json"],
    ["get", "cm", "--output-watch-events"],
    ["get", "cm", "--show-labels", "-o", "json"],
    ["create", "--raw", "/x", "-f", "a", "-f", "b"],
    ["create", "--raw", "x", "-f", "a"],
    ["delete", "--raw", "/x", "-f", "a", "--all"],
]


def run(kubectl: str, argv: list[str], home: str) -> dict[str, object]:
    done = subprocess.run(
        [kubectl, *argv], capture_output=True, text=True, env={"HOME": home, "PATH": ""}, stdin=subprocess.DEVNULL
    )
    return {"argv": argv, "stderr": done.stderr, "stdout": done.stdout.partition("\n")[0], "code": done.returncode}


def main(kubectl: str) -> None:
    version = subprocess.run([kubectl, "version", "--client"], capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as home:
        cases = [run(kubectl, argv, home) for argv in COMMANDS]
    json.dump({"kubectl": version.split()[2], "command": "kubectl ARGV", "cases": cases}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(sys.argv[1])
