"""Command lines of `config …` and the files they start from; recorded from the real kubectl, replayed by kubetrace.

A case is (name, files, argv, environment). `$DIR` stands for the folder that the case runs in.
"""

from __future__ import annotations

from typing import NamedTuple

MAIN = """\
apiVersion: v1
kind: Config
current-context: dev
preferences: {colors: true}
clusters:
- name: prod
  cluster:
    server: https://prod.example:6443
    certificate-authority-data: aGVsbG8=
    tls-server-name: inner
    extensions:
    - name: client.authentication.k8s.io/exec
      extension: {audience: x, n: 012, on: yes}
- cluster: {server: "https://10.0.0.1", certificate-authority: ca.crt, proxy-url: "socks5://p:1"}
  name: 10.0.0.1
- name: plain
  cluster: {server: "http://localhost:8080", insecure-skip-tls-verify: true, unknown: gone}
users:
- name: token
  user: {token: s3cret, as: root, as-groups: [a, b], as-uid: "7", as-user-extra: {k: [v, w]}}
- name: basic
  user: {username: me, password: pw}
- name: cert
  user: {client-certificate: tls/c.crt, client-key-data: a2V5}
- name: plugin
  user:
    exec:
      command: ./bin/get-token
      args: [--for, x]
      env: [{name: A, value: "1"}, {name: B, value: "2"}]
      apiVersion: client.authentication.k8s.io/v1beta1
      installHint: "install it"
- name: provider
  user: {auth-provider: {name: oidc, config: {id-token: t, client-id: c}}}
contexts:
- name: dev
  context: {cluster: 10.0.0.1, user: token, namespace: apps}
- name: prod
  context: {cluster: prod, user: cert}
- name: broken
  context: {cluster: nowhere, user: nobody}
extensions:
- name: zz
  extension: {a: 1.5, b: [x, null]}
"""
SECOND = """\
clusters:
- name: prod
  cluster: {server: https://other}
- name: second
  cluster: {server: https://second}
contexts:
- name: second
  context: {cluster: second, user: token2}
- name: dev
  context: {cluster: second, user: token2}
users:
- name: token2
  user: {token: other}
current-context: second
"""
CERT = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
FILES = {"config": MAIN, "second": SECOND, "ca.crt": CERT, "tls/c.crt": CERT, "tls/c.key": "KEY\n"}


class Case(NamedTuple):
    name: str
    argv: tuple[str, ...]
    files: dict[str, str] = FILES
    kubeconfig: str = "config"


def _one(text: str, kubeconfig: str = "config", files: dict[str, str] | None = None) -> Case:
    argv = tuple(word.replace("\u00a0", " ") for word in text.split(" ")) if text else ()
    argv = tuple("" if word == "''" else word for word in argv)
    return Case(f"{text} [{kubeconfig}]", argv, FILES if files is None else files, kubeconfig)


SINGLE = """\
view
view --raw
view --minify
view --minify --raw
view --minify --context=prod
view --minify --context=broken
view --minify --context=none
view --flatten --minify
view --flatten
view --merge=false
view -o json
view -o json --raw
view -o name
view -o foo
view -o wide
view -o jsonpath
view -o jsonpath={.kind}
view -o jsonpath={.users[*].name}
view --raw -o jsonpath={.users[?(@.name=="basic")].user.password}
view -o jsonpath={.users[?(@.name=="basic")].user.password}
view -o jsonpath={range .contexts[*]}{.name}{"\\n"}{end}
view -o jsonpath-as-json={.clusters[0]}
view -o jsonpath={.nothing}
view -o jsonpath={.nothing} --allow-missing-template-keys=false
view -o jsonpath={.clusters[?(@.name=="prod")].cluster.certificate-authority-data}
view -oyaml --minify=true --raw=false
view -o JSON
view x
current-context
current-context x y
get-contexts
get-contexts --no-headers
get-contexts -o name
get-contexts -o yaml
get-contexts prod
get-contexts prod none dev
get-contexts none
get-contexts none nix
get-users
get-users x
use-context prod
use prod
use-context none
use-context ''
use-context dev
use-context a b
rename-context dev neu
rename-context prod neu
rename-context none neu
rename-context dev prod
rename-context dev ''
rename-context dev
set-context neu
set-context neu --cluster=c --user=u -n ns
set-context dev --namespace=other
set-context dev --namespace=
set-context --current --namespace=x
set-context --current dev
set-context
set-context a b
set-context dev --cluster=10.0.0.1
set-context 007 --cluster=on --user=1e3
set-cluster neu
set-cluster neu --server=https://x
set-cluster prod --server=https://x
set-cluster prod --server=https://x --tls-server-name=y
set-cluster prod --tls-server-name=
set-cluster plain --server=https://y
set-cluster prod --insecure-skip-tls-verify
set-cluster prod --insecure-skip-tls-verify=false
set-cluster plain --certificate-authority=ca.crt
set-cluster plain --certificate-authority=/etc/nowhere.crt
set-cluster plain --certificate-authority=ca.crt --embed-certs
set-cluster plain --certificate-authority=none.crt --embed-certs
set-cluster plain --embed-certs
set-cluster plain --certificate-authority=ca.crt --insecure-skip-tls-verify
set-cluster 10.0.0.1 --proxy-url=http://q
set-cluster 10.0.0.1 --certificate-authority=
set-cluster neu --embed-certs=maybe
set-cluster
set-cluster ''
set-cluster a b
set-credentials neu
set-credentials neu --token=abc
set-credentials token --token=abc
set-credentials token --username=u --password=p
set-credentials basic --token=abc
set-credentials basic --password=
set-credentials basic --token=a --username=b
set-credentials cert --client-certificate=ca.crt --client-key=tls/c.key
set-credentials cert --client-certificate=ca.crt --client-key=tls/c.key --embed-certs
set-credentials cert --client-key=/abs/key
set-credentials cert --embed-certs
set-credentials cert --embed-certs --client-key=none
set-credentials plugin --exec-command=/bin/x
set-credentials plugin --exec-arg=a,b --exec-arg=c
set-credentials plugin --exec-env=A=9 --exec-env=C=3
set-credentials plugin --exec-env=A-
set-credentials plugin --exec-env=A- --exec-env=B-
set-credentials plugin --exec-env=bad
set-credentials plugin --exec-interactive-mode=Never --exec-provide-cluster-info --exec-api-version=v9
set-credentials plugin --exec-interactive-mode=Often
set-credentials token --exec-arg=a
set-credentials token --exec-command=./rel/cmd
set-credentials token --exec-command=cmd --exec-env=A=b=c
set-credentials neu --auth-provider=oidc --auth-provider-arg=a=b,c=d
set-credentials provider --auth-provider-arg=id-token-
set-credentials provider --auth-provider-arg=bad
set-credentials provider --auth-provider=gcp
set-credentials
set-credentials ''
set-credentials a b
set current-context prod
set current-context
set clusters.prod.server https://set
set clusters.10.0.0.1.server https://set
set clusters.new.one.server https://set
set clusters.prod.certificate-authority-data aGk=
set clusters.prod.certificate-authority-data hi!
set clusters.prod.certificate-authority-data hi --set-raw-bytes
set clusters.prod.insecure-skip-tls-verify true
set clusters.prod.insecure-skip-tls-verify x
set clusters.prod.disable-compression 1
set clusters.prod.nothing x
set contexts.dev.namespace a.b
set contexts.x.user me
set users.token.token neu
set users.token.act-as someone
set users.token.as someone
set users.plugin.exec.command /bin/sh
set users.plugin.exec.provideClusterInfo true
set users.plugin.exec.args x
set users.provider.auth-provider.name neu
set users.provider.auth-provider.config.k v
set users.token.exec.command x
set users.token.act-as-groups x
set users.token x
set users.plugin.exec x
set preferences.colors false
set preferences.nothing false
set nothing x
set kind x
set extensions.zz x
set current-context ''
set '' x
unset current-context
unset contexts.dev.namespace
unset contexts.dev
unset contexts.none
unset contexts.none.namespace
unset contexts
unset users
unset users.token.token
unset users.plugin.exec
unset users.plugin.exec.env
unset users.plugin.exec.command
unset users.provider.auth-provider.config.client-id
unset users.provider.auth-provider
unset users.token.act-as-groups
unset users.token.act-as-user-extra
unset clusters.prod.certificate-authority-data
unset clusters.prod.extensions
unset clusters.prod
unset clusters.10.0.0.1.server
unset preferences
unset preferences.colors
unset extensions
unset extensions.zz
unset nothing
unset ''
unset
delete-context prod
delete-context dev
delete-context none
delete-cluster prod
delete-cluster none
delete-user token
delete-user none
delete-user
delete-user a b""".splitlines()

CASES: list[Case] = [
    *map(_one, SINGLE),
    *(
        _one(text, "config:second")
        for text in (
            "view",
            "view --minify",
            "get-contexts",
            "use-context second",
            "use-context dev",
            "delete-context second",
            "delete-cluster second",
            "delete-user token2",
            "set-context second --namespace=n",
            "set-context neu --namespace=n",
            "set clusters.second.server https://n",
            "unset current-context",
            "rename-context second third",
            "rename-context dev third",
            "set preferences.colors false",
            "unset clusters",
        )
    ),
    *(
        _one(text, "second:config")
        for text in (
            "view",
            "current-context",
            "unset current-context",
            "set-context prod --user=u",
            "unset preferences",
        )
    ),
    *(
        _one(text, "missing:second:config")
        for text in ("current-context", "set-cluster neu --server=x", "delete-context none")
    ),
    *(
        _one(text, "missing")
        for text in (
            "view",
            "current-context",
            "get-contexts",
            "get-users",
            "set-context neu --cluster=c",
            "use-context a",
            "delete-user x",
            "set current-context prod",
            "unset current-context",
        )
    ),
    *(_one(text, "deep/er/one:deep/two") for text in ("view", "set-cluster c --server=s", "get-contexts")),
    *(
        _one(text, "")
        for text in (
            "view --kubeconfig=config",
            "view --kubeconfig=missing",
            "view --kubeconfig=missing --merge=false",
            "view --kubeconfig=config --merge=false",
            "view --kubeconfig=missing --merge",
            "view --kubeconfig=config --merge",
            "view --kubeconfig=second --merge=true --minify",
            "get-contexts --kubeconfig=missing",
            "set-context x --user=u --kubeconfig=missing",
            "set-context x --user=u --kubeconfig=new/folder/file",
            "use-context prod --kubeconfig=config",
            "unset current-context --kubeconfig=config",
            "view",
            "view --merge=false",
            "set-cluster c --server=https://home",
        )
    ),
]

_BROKEN = {
    "a tab": "a:\n\tb: 1\n",
    "two colons": "a: b: c\n",
    "two colons later": "x: 1\na: b: c\n",
    "open list": "a: [1, 2\n",
    "a list": "- a\n",
    "a word": "word\n",
    "only a comment": "# nothing\n",
    "empty": "",
    "blank": "\n\n",
    "another kind": "kind: Pod\napiVersion: v1\n",
    "another version": "apiVersion: v2\n",
    "a number as a kind": "kind: 1\n",
    "text as clusters": "clusters: x\n",
    "a map as clusters": "clusters: {a: b}\n",
    "a number as a server": "clusters:\n- name: a\n  cluster:\n    server: 5\n",
    "a number as a name": "contexts:\n- name: 1\n",
    "a bool as a namespace": "contexts:\n- name: a\n  context: {namespace: yes}\n",
    "text as a cluster": "clusters:\n- cluster: x\n",
    "a number in a list": "clusters: [1]\n",
    "null in a list": "clusters: [null]\n",
    "text as colors": "preferences: {colors: x}\n",
    "a number in args": "users:\n- name: a\n  user:\n    exec: {args: [a, 1]}\n",
    "a number in env": "users:\n- name: a\n  user:\n    exec: {env: [{name: 1}]}\n",
    "a number as provider value": "users:\n- name: a\n  user:\n    auth-provider: {name: a, config: {b: 1}}\n",
    "a number in as-user-extra": "users:\n- name: a\n  user:\n    as-user-extra: {x: [1]}\n",
    "no base64": 'users:\n- name: a\n  user:\n    client-key-data: "!!!"\n',
    "short base64": "users:\n- name: a\n  user:\n    client-key-data: abcde\n",
    "a number as data": "users:\n- name: a\n  user:\n    client-key-data: 5\n",
    "a cycle": "a: &x [*x]\n",
    "unknown anchor": "a: *u\n",
    "a list as a key": "? [a]\n: b\n",
    "an anchor and a merge": "x: &b {server: https://m}\nclusters:\n- name: a\n  cluster: {<<: *b, proxy-url: http://p}\n",
    "a later document": "current-context: one\n---\ncurrent-context: two\n",
    "json": '{"current-context": "j", "clusters": [{"name": "a", "cluster": {"server": "s"}}]}',
    "broken json": '{"current-context": "j", ',
    "control character": "a: \x01\n",
    "two wrong values": "users:\n- name: a\n  user: {token: 1}\nclusters:\n- name: b\n  cluster: {server: 2}\n",
}
CASES += [
    Case(f"{name}: {argv[0]}", argv, {"config": text}, "config")
    for name, text in _BROKEN.items()
    for argv in (("view",), ("set-context", "x", "--user=u"))
]
CASES += [Case("several broken files", ("view",), {"a": "x: [", "b": "kind: Pod\n", "c": MAIN}, "a:b:c")]
