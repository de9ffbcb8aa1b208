"""What goes wrong, case by case: recorded from kubectl by tests/tools/record_bad_input.py, expected of kubetrace."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bad_input.server import CODES, DOORS, MANIFEST, TOKEN

ONE = "/api/v1/namespaces/default/configmaps/a"
ALL = "/api/v1/namespaces/default/configmaps"


@dataclass(frozen=True)
class Case:
    """One command, the server's door, the requests that fail and how; `files` lie in the home folder."""

    name: str
    words: tuple[str, ...]
    door: str = "http"
    fault: str = ""
    answer: str = ""
    files: dict[str, bytes] = field(default_factory=dict, hash=False)
    stdin: bytes = b""


COMMANDS: dict[str, tuple[str, str]] = {
    "get": ("get cm a", f"GET {ONE}"),
    "get-json": ("get cm a -o json", f"GET {ONE}"),
    "list": ("get cm", f"GET {ALL}"),
    "list-yaml": ("get cm -o yaml", f"GET {ALL}"),
    "raw": ("get --raw /raw", "GET /raw"),
    "apply-get": ("apply --validate=false -f m.json", f"GET {ONE}"),
    "apply-post": ("apply --validate=false -f m.json", f"POST {ALL}"),
    "create": ("create --validate=false -f m.json", f"POST {ALL}"),
    "validate": ("create -f m.json", "GET /openapi/v3"),
    "delete": ("delete cm a", f"DELETE {ONE}"),
    "api-resources": ("api-resources", "GET /apis?"),
    "api-resources-apis": ("api-resources", "GET /apis"),
    "discover": ("get cm a", "GET /apis?"),
    "version": ("version", "GET /version"),
    "cluster-info": ("cluster-info", "GET /api/v1/namespaces/kube-system/services"),
}
NEAR = ("get", "list", "raw", "apply-get", "apply-post", "create", "delete", "api-resources", "version", "cluster-info")
FORMS = ("status", "html", "empty", "json")
WHOLE = ("get", "raw", "create")
BODIES = ("empty", "html-200", "html-as-json", "text", "no-type", "protobuf", "truncated-json", "two-values",
          "null", "number", "string", "array", "no-kind", "other-kind", "unknown-kind", "wrong-shape", "wrong-items",
          "null-items", "invalid-utf8", "status-success", "status-failure-200")  # fmt: skip
TABLES = (
    "table-no-rows",
    "table-row-short",
    "table-row-number",
    "table-cells-text",
    "table-columns-text",
    "table-row-long",
)
WIRE = ("short-body", "long-body", "bad-length", "negative-length", "two-lengths", "bad-chunk", "cut-chunk", "bad-gzip",
        "cut-gzip", "huge-header", "many-headers", "huge-headers", "not-http", "bad-code", "bad-header",
        "redirect-loop", "redirect-nowhere")  # fmt: skip
SLOW = ("hang", "hang-in-headers", "hang-in-body")
LOST = ("closed", "reset", "reset-in-body")

BROKEN: dict[str, bytes] = {
    "tab": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n\tx: y\n",
    "indent": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n x: y\n",
    "no-colon": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\nnonsense\n",
    "two-colons": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: y: z\n",
    "open-quote": b'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: "y\n',
    "open-bracket": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: [y\n",
    "unknown-alias": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: *y\n",
    "duplicate": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  k: w\n",
    "control": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: \x01\n",
    "utf8": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: \xff\xfe\n",
    "tag": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: !!int y\n",
    "at": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: @y\n",
    "json": b'{\n"apiVersion": "v1",\n"kind": "ConfigMap",\n"metadata": {\n"name": "a"},\n"data": {},\n"x" "y"\n}\n',
    "json-comma": b'{\n"apiVersion": "v1",\n"kind": "ConfigMap",\n"metadata": {\n"name": "a"\n},\n}\n',
    "second": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\nkind: ConfigMap\nmetadata: [\n",
    "cycle": b"apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  name: a\ndata:\n  k: v\nx: &x [*x]\n",
    "empty": b"",
    "nul": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  k: v\n  x: \x00\n",
    "scalar": b"hello\n",
    "list": b"- a\n",
    "no-kind": b"apiVersion: v1\nmetadata:\n  name: a\n",
    "no-version": b"kind: ConfigMap\nmetadata:\n  name: a\n",
    "no-name": b"apiVersion: v1\nkind: ConfigMap\n",
    "unknown-kind": b"apiVersion: v1\nkind: Foo\nmetadata:\n  name: a\n",
    "name-number": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 1\n",
    "metadata-list": b"apiVersion: v1\nkind: ConfigMap\nmetadata: []\n",
    "kind-number": b"apiVersion: v1\nkind: 7\nmetadata:\n  name: a\n",
    "list-item-no-kind": b"apiVersion: v1\nkind: List\nitems:\n- metadata: {name: a}\n"
    b"- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n",
    "list-item-no-version": b"apiVersion: v1\nkind: List\nitems:\n- kind: ConfigMap\n  metadata: {name: a}\n",
    "list-item-no-kind-alone": b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  metadata: {name: a}\n",
    "list-item-number": b"apiVersion: v1\nkind: List\nitems: [7]\n",
    "list-item-null": b"apiVersion: v1\nkind: List\nitems: [null]\n",
    "list-items-null": b"apiVersion: v1\nkind: List\nitems: null\n",
    "list-items-number": b"apiVersion: v1\nkind: List\nitems: 7\n",
    "list-unknown-kind": b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Foo\n  metadata: {name: a}\n",
    "list-in-list": b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMapList\n  items:\n"
    b"  - metadata: {name: a}\n",
    "typed-list": b"apiVersion: v1\nkind: ConfigMapList\nitems:\n- metadata: {name: a}\n"
    b"- kind: ConfigMap\n  metadata: {name: b}\n",
    "null-key": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  null: x\n  ~: y\n",
    "odd-keys": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    b"data: {1: x, true: y, 1.5: z, 2001-01-01: d, on: e}\n",
    "list-key": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  ? [a]\n  : x\n",
    "labels-number": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}\n",
    "annotations-list": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, annotations: [x]}\n",
    "time": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, creationTimestamp: today}\n",
    "deep": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: " + b"[" * 200 + b"]" * 200 + b"\n",
    "two-bad": b"apiVersion: v1\nkind: Foo\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Bar\nmetadata: {name: b}\n",
    "bom": b"\xef\xbb\xbfapiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
    "utf16": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n".encode("utf-16"),
    "document-ends": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n...\n...\n---\n# nothing\n",
    "document-end-alone": b"...\n",
    "leading-separator": b"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: v\n  x: y: z\n",
    "second-separator": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n---\nk: v\nx: y: z\n",
    "carriage-returns": b"apiVersion: v1\r\nkind: ConfigMap\r\nmetadata: {name: a}\r\n---\r\nx: y: z\r\n",
    "separators": b"---\n---\n# nothing\n---\n...\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\n",
    "separator-text": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n--- # more\n"
    b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n",
    "merge-key": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nx: &x {k: v}\ndata:\n  <<: *x\n  j: w\n",
}
CONFIGS: dict[str, bytes] = {
    "empty": b"",
    "text": b"hello\n",
    "list": b"- a\n",
    "broken": b"apiVersion: v1\nclusters:\n- cluster: {\n",
    "tab": b"apiVersion: v1\n\tkind: Config\n",
    "cyclic": b"apiVersion: v1\nkind: Config\nclusters: &c\n- name: c\n  cluster: *c\n",
    "cyclic-extra": b"apiVersion: v1\nkind: Config\nextensions: &c [*c]\n",
    "binary": bytes(range(256)),
    "other-kind": b"apiVersion: v1\nkind: Pod\n",
    "other-version": b"apiVersion: v9\nkind: Config\n",
    "wrong-shape": b"apiVersion: v1\nkind: Config\nclusters: 5\n",
    "no-cluster": b"apiVersion: v1\nkind: Config\ncontexts: [{name: x, context: {cluster: g}}]\ncurrent-context: x\n",
    "no-user": b"apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
    b"contexts: [{name: x, context: {cluster: c, user: gone}}]\ncurrent-context: x\n",
    "no-context": b"apiVersion: v1\nkind: Config\ncurrent-context: gone\n",
}


def cases() -> Iterator[Case]:
    yield from _answers()
    yield from _doors()
    yield from _manifests()
    yield from _configs()
    yield from _several()
    yield from _prompts()


def _several() -> Iterator[Case]:
    """More than one thing goes wrong, or only one of them does."""
    both = f"GET ({ALL}|/apis/apps/v1/namespaces/default/deployments)"
    for answer in ("500-html", "403-status", "html-200", "422-status", "404-status"):
        yield Case(f"several/{answer}", ("get", "cm,deploy"), "http", both, answer)
        yield Case(f"several-yaml/{answer}", ("get", "cm,deploy", "-oyaml"), "http", both, answer)
        yield Case(f"several-one/{answer}", ("get", "cm,deploy"), "http", f"GET {ALL}", answer)
        yield Case(f"several-names/{answer}", ("get", "cm", "a", "b"), "http", f"GET {ALL}/.*", answer)
        yield Case(f"several-pairs/{answer}", ("get", "cm/a", "deploy/b"), "http", f"GET {ALL}/.*", answer)
        yield Case(
            f"several-ignored/{answer}", ("get", "cm", "a", "b", "--ignore-not-found"), "http", f"GET {ONE}", answer
        )
        yield Case(f"several-deleted/{answer}", ("delete", "cm", "a", "b"), "http", f"DELETE {ALL}/.*", answer)
        yield Case(
            f"file/{answer}", ("get", "-f", "m.json"), "http", f"GET {ONE}", answer, {"m.json": MANIFEST.encode()}
        )
        yield Case(f"watch/{answer}", ("get", "cm", "-w"), "http", f"GET {ALL}", answer)
        yield Case(f"delete-all/{answer}", ("delete", "cm", "--all"), "http", f"GET {ALL}", answer)


def _case(command: str, answer: str, *, door: str = "http", more: tuple[str, ...] = ()) -> Case:
    words, fault = COMMANDS[command]
    return Case(f"{command}/{answer}", (*words.split(), *more), door, fault, answer, {"m.json": MANIFEST.encode()})


def _answers() -> Iterator[Case]:
    for command in COMMANDS:
        for code in CODES:
            for form in FORMS if command in WHOLE else ("status", "html") if command in NEAR else ("status",):
                yield _case(command, f"{code}-{form}")
        for answer in BODIES:
            yield _case(command, answer)
        yield _case(command, "429-retry")
    for command in ("get", "raw", "create", "api-resources"):
        for answer in (*WIRE, "503-retry", "503-retry-text", "429-retry-text", "429-retry-nonsense", "token-echo"):
            # client-go sends (and we learn) a token over TLS only
            yield _case(command, answer, door="tls" if answer == "token-echo" else "http")
    for command in ("list", "get"):
        for answer in TABLES:
            yield _case(command, answer)
    for command in NEAR:
        for answer in SLOW if command in ("get", "raw", "create", "api-resources") else SLOW[:1]:
            yield _case(command, answer, more=("--request-timeout=300ms",))
        for answer in LOST:
            yield _case(command, answer)


def _doors() -> Iterator[Case]:
    for door in DOORS:
        if door in ("http",):
            continue
        patience = ("--request-timeout=300ms",) if door in ("silent", "full") else ()
        for command in ("get", "raw", "apply-get", "version", "delete"):
            words, _ = COMMANDS[command]
            name = f"door-{door}/{command}"
            yield Case(name, (*words.split(), *patience), door, files={"m.json": MANIFEST.encode()})


def _prompts() -> Iterator[Case]:
    """A server that gets no credentials: kubectl asks for a user name and, on a terminal only, for a password."""
    files = {"m.json": MANIFEST.encode()}
    for line in (
        "get", "get cm -o nope", "get --raw /raw", "get cm --password=x", "get cm --username=bob", "version",
        "version --client", "api-resources", "cluster-info", "config view", "delete cm a",
        "create -f nowhere.yaml", "create -f nowhere.yaml --validate=false", "apply -f nowhere.yaml",
        "apply --server-side --force -f m.json", "delete -f nowhere.yaml", "get cm --server=http://127.0.0.1:1",
        "get nothing-of-this-kind", "get cm --context=nope",
    ):  # fmt: skip
        yield Case(f"prompt/{line}", tuple(line.split()), "anonymous", files=files)
    for given in (b"bob\n", b"\n \n", b"bob alice\n", b" bob"):
        yield Case(f"prompt-given/{given.decode().split()}", ("get", "cm"), "anonymous", stdin=given)
    apply = ("apply", "--validate=false", "-f", "-")
    yield Case("prompt-given/manifest", apply, "anonymous", stdin=MANIFEST.encode())


def _manifests() -> Iterator[Case]:
    for name, text in BROKEN.items():
        for verb in ("apply", "create", "delete"):
            check = () if verb == "delete" else ("--validate=false",)
            yield Case(f"manifest-{name}/{verb}", (verb, *check, "-f", "bad.yaml"), files={"bad.yaml": text})
        yield Case(f"manifest-{name}/stdin", ("apply", "--validate=false", "-f", "-"), stdin=text)
    two = {"1.yaml": BROKEN["unknown-kind"], "2.yaml": BROKEN["tab"], "3.yaml": BROKEN["open-quote"]}
    for verb in ("apply", "create", "delete"):
        check = () if verb == "delete" else ("--validate=false",)
        yield Case(f"manifests-bad/{verb}", (verb, *check, "-f", "1.yaml", "-f", "2.yaml"), files=two)
        every = (verb, *check, *(word for name in two for word in ("-f", name)), "-f", "m.json")
        yield Case(f"manifests-mixed/{verb}", every, files={**two, "m.json": MANIFEST.encode()})
        for selector in ("a=b,", "a in (", "BAD!", "a==b==c", "a>x", "a in (b),c notin (d)"):
            files = {"m.json": MANIFEST.encode()}
            yield Case(f"selector-{selector}/{verb}", (verb, *check, "-f", "m.json", "-l", selector), files=files)
    yield Case("manifests-bad/get", ("get", "-f", "1.yaml", "-f", "2.yaml"), files=two)
    yield Case("manifests-bad/get-json", ("get", "-f", "1.yaml", "-f", "2.yaml", "-ojson"), files=two)
    yield Case("manifest/missing", ("apply", "-f", "nowhere.yaml"))
    yield Case("manifest/directory", ("apply", "-f", "folder"), files={"folder/readme.txt": b""})


def _configs() -> Iterator[Case]:
    for name, text in CONFIGS.items():
        for words in ("get cm a", "config view", "version"):
            argv = (*words.split(), "--kubeconfig=bad")
            yield Case(f"config-{name}/{words.split()[0]}", argv, files={"bad": text})
    for words in ("get cm", "config view", "config use-context x"):
        yield Case(f"config-missing/{words}", (*words.split(), "--kubeconfig=nowhere"))
        yield Case(f"config-folder/{words}", (*words.split(), "--kubeconfig=folder"), files={"folder/x": b""})
    yield Case("config-context/get", ("get", "cm", "--context=nope"))
    yield Case("config-context/config", ("config", "use-context", "nope"))
    yield Case("config-cluster/get", ("get", "cm", "--cluster=nope"))
    yield Case("config-user/get", ("get", "cm", "--user=nope"))
    yield Case("server-nonsense/get", ("get", "cm", "--server=::"))


_RULES = (
    (re.compile(r"(?m)^([IWEF])\d{4} [\d:.]+ +\d+ "), r"\1 "),
    (re.compile(r"127\.0\.0\.1:\d+->"), "LOCAL->"),
    (re.compile(r"127\.0\.0\.1:\d{2,}"), "SERVER"),
    (re.compile(r"( lookup [\w.-]+) on [\w.:\[\]]+:53\b"), r"\1"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z"), "TIME"),
    (re.compile(r"127\.0\.0\.1_\d+"), "SERVER"),
    (re.compile(r"(?m)^Client Version: .*\n(Kustomize Version: .*\n)?"), "CLIENT\n"),
    (re.compile(r"\bkubetrace\b"), "kubectl"),
    # Go has two clocks for a request, and which of them strikes first differs from run to run.
    (
        re.compile(
            r"(?:net/http: request canceled(?: while waiting for connection)?|context deadline exceeded)"
            r"(?: \(Client\.Timeout [\w ]+\))?"
        ),
        "DEADLINE",
    ),
    # What a server sends after the end of its answer is read by chance.
    (re.compile(r"(?m)^I log.go:\d+\] Unsolicited response received on idle HTTP channel.*\n"), ""),
    # kubectl prints a token that a server repeats; kubetrace masks it.
    (re.compile(re.escape(TOKEN)), "<masked:1>"),
)


def normal(text: str, home: Path) -> str:
    """Without what differs from run to run (ports, times, pids, the home folder), the program's name, and tokens."""
    text = text.replace(str(home), "HOME")
    for pattern, better in _RULES:
        text = pattern.sub(better, text)
    return text
