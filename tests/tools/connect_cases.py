"""Kubeconfigs and connection flags that lead to a connection, or to one of client-go's complaints."""

from __future__ import annotations

from typing import NamedTuple

BASE = """\
current-context: c
contexts:
- {name: c, context: {cluster: k, user: u, namespace: ns}}
- {name: lost, context: {cluster: nowhere, user: nobody}}
- {name: other, context: {cluster: k2, user: u2}}
clusters:
- {name: k, cluster: {server: "https://127.0.0.1:1"}}
- {name: k2, cluster: {server: "https://127.0.0.1:2/prefix/"}}
users:
- {name: u, user: {token: t}}
- {name: u2, user: {username: a, password: b}}
"""


class Case(NamedTuple):
    name: str
    text: str | None
    flags: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def _user(stanza: str, server: str = "https://127.0.0.1:1") -> str:
    return (
        "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\n"
        f'clusters:\n- {{name: k, cluster: {{server: "{server}"}}}}\nusers:\n- {{name: u, user: {{{stanza}}}}}\n'
    )


def _cluster(stanza: str) -> str:
    return (
        "current-context: c\ncontexts:\n- {name: c, context: {cluster: k, user: u}}\n"
        f"clusters:\n- {{name: k, cluster: {{{stanza}}}}}\nusers:\n- {{name: u, user: {{token: t}}}}\n"
    )


FLAGS = (
    "",
    "--context=other",
    "--context=none",
    "--context=lost",
    "--cluster=k2",
    "--cluster=none",
    "--user=u2",
    "--user=none",
    "--user=none --cluster=none",
    "--context=none --user=none",
    "--server=127.0.0.1:3",
    "--server=https://127.0.0.1:3/x?y=z",
    "--server=http://127.0.0.1:3",
    "--server=127.0.0.1:3/path",
    "--server=::bad",
    "--server=https://h:port",
    "--token=x --username=y",
    "--username=y",
    "--client-certificate=none.crt",
    "--client-certificate=none.crt --client-key=none.key",
    "--client-key=none.key",
    "--certificate-authority=none.crt",
    "--insecure-skip-tls-verify",
    "--as-group=g",
    "--as-uid=1",
    "--as=me --as-group=g",
    "--as-user-extra=a=b",
    "--request-timeout=x",
    "--request-timeout=5",
    "--request-timeout=1m5s",
    "--tls-server-name=n",
    "--disable-compression",
    "--context=other --namespace=x",
)
SERVERS = (
    *("http://h/%zz", "%zz", "http://h%20x", "http://h\x01", "http://a b", "http://%41", "http://<x>"),
    *("ftp://127.0.0.1:3", "mailto:x", "HTTP://127.0.0.1:3", "//h", "/x", ":", "127.0.0.1:3#x"),
    *("http://[::1", "http://[::1]x", "http://[::1]:port", "http://[1.2.3.4]", "http://a[::1]"),
    *("http://1.2.3.4.5", "http://-x", "http://a..b", "http://127.0.0.1:3/a%2fb", "http://127.0.0.1:3/ä/"),
    *("http://u:p@127.0.0.1:3", "http://u p@127.0.0.1:3", "http://u%zz@127.0.0.1:3", "http://127.0.0.1:3#%zz"),
)
RAW_PATHS = (
    "/%zz",
    "/a\x01",
    "x",
    "",
    "*",
    "?x",
    "http://[::1/x",
    "http://h/x",
    "//h/x",
    "/a b",
    "ftp:x",
    ":x",
    "/x#%zz",
)
_EXEC = 'exec: {command: /bin/none, apiVersion: "client.authentication.k8s.io/v1", interactiveMode: Never}'
CASES: list[Case] = [
    *(Case(f"flags {text}", BASE, tuple(text.split())) for text in FLAGS),
    Case("no current context", BASE.replace("current-context: c\n", "")),
    Case("wrong current context", BASE.replace("current-context: c", "current-context: x")),
    Case("lost entries", BASE.replace("current-context: c", "current-context: lost")),
    Case("no file", None),
    Case("no file, a master", None, (), (("KUBERNETES_MASTER", "http://127.0.0.1:4"),)),
    Case("no file, a server", None, ("--server=http://127.0.0.1:3",)),
    Case("empty file", ""),
    Case("token and basic", _user("token: a, username: b")),
    Case("token file missing", _user("tokenFile: none")),
    Case("token file missing over http", _user("tokenFile: none", "http://127.0.0.1:1")),
    Case("certificate without a key", _user("client-certificate-data: aGk=")),
    Case("certificate twice", _user("client-certificate-data: aGk=, client-certificate: config, client-key: config")),
    Case("key twice", _user("client-certificate: config, client-key: config, client-key-data: aGk=")),
    Case("files missing", _user("client-certificate: a/none.crt, client-key: a/../none.key")),
    Case("files missing over http", _user("client-certificate: none.crt, client-key: none.key", "http://127.0.0.1:1")),
    Case("gcp", _user("auth-provider: {name: gcp}")),
    Case("azure", _user("auth-provider: {name: azure}")),
    Case("openstack", _user("auth-provider: {name: openstack}")),
    Case("gcp over http", _user("auth-provider: {name: gcp}", "http://127.0.0.1:1")),
    Case("exec and a provider", _user(f"{_EXEC}, auth-provider: {{name: gcp}}")),
    Case("exec without a command", _user("exec: {apiVersion: x, interactiveMode: Never}")),
    Case("exec without anything", _user("exec: {env: [{value: x}]}")),
    Case("exec, a wrong mode", _user(_EXEC.replace("Never", "Often"))),
    Case("exec, a wrong version", _user(_EXEC.replace("io/v1", "io/v9"))),
    Case("exec, alpha", _user(_EXEC.replace("io/v1", "io/v1alpha1"))),
    Case("exec v1 without a mode", _user(_EXEC.replace(", interactiveMode: Never", ""))),
    Case("impersonation without a user", _user("as-groups: [a]")),
    Case("no server", _cluster("insecure-skip-tls-verify: true")),
    Case("an empty cluster", _cluster("")),
    Case("CA missing", _cluster('server: "https://127.0.0.1:1", certificate-authority: ca.crt')),
    Case("CA twice", _cluster('server: "https://x", certificate-authority: config, certificate-authority-data: aGk=')),
    Case("a wrong proxy", _cluster('server: "https://127.0.0.1:1", proxy-url: "ftp://x"')),
    Case("a proxy without a scheme", _cluster('server: "https://127.0.0.1:1", proxy-url: "host:80"')),
    Case("no proxy at all", _cluster('server: "https://127.0.0.1:1", proxy-url: "://"')),
    Case("a bare word as proxy", _cluster('server: "https://127.0.0.1:1", proxy-url: "host"')),
    Case("several problems", _cluster('server: "https://x", certificate-authority: a, proxy-url: "x://y"')),
    Case("no port", _cluster('server: "https://127.0.0.1:1:2"')),
    Case("upper case", _cluster('server: "HTTPS://127.0.0.1:1"')),
]
URLS: list[Case] = [
    *(Case(f"server {text}", None, (f"--server={text}",)) for text in SERVERS),
    *(Case(f"raw {text}", BASE, (f"--raw={text}",)) for text in RAW_PATHS),
]
"""URLs, well-formed and not: what is printed for them comes from more than the kubeconfig."""
