"""The command lines whose conversations `record_writes` records: kubectl's words, calls and bodies for create, apply
and delete."""

from __future__ import annotations

_POD_SPEC = """\
      containers:
      - name: c
        image: registry.example/x
        ports: [{containerPort: 80}, {containerPort: 81}]
        env: [{name: A, value: "1"}, {name: B, value: "2"}]
      - name: e
        image: registry.example/y
      volumes: [{name: v, emptyDir: {}}]
"""
_CHANGED_POD_SPEC = """\
      containers:
      - name: e
        image: registry.example/y2
      - name: c
        image: registry.example/x
        ports: [{containerPort: 81}, {containerPort: 82}]
        env: [{name: B, value: "3"}]
      volumes: [{name: v, configMap: {name: foo}}]
"""
_DEPLOYMENT = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n"
_TEMPLATE = "  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n"
_CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\n"

FILES: dict[str, str] = {
    "settings.yaml": _CONFIG_MAP + 'metadata: {name: s, labels: {l: "1"}}\ndata: {a: "1", b: "<&>é"}\n',
    "settings-changed.yaml": _CONFIG_MAP + 'metadata: {name: s}\ndata: {a: "2", c: "3", n: null, z: null}\n',
    "deployment.yaml": _DEPLOYMENT + "  replicas: 1\n" + _TEMPLATE + _POD_SPEC,
    "deployment-changed.yaml": _DEPLOYMENT + "  strategy: {type: Recreate}\n" + _TEMPLATE + _CHANGED_POD_SPEC,
    "service.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  selector: {a: b}\n  ports:\n"
    "  - {name: dns, port: 53, protocol: UDP}\n  - {name: dnst, port: 53, protocol: TCP}\n",
    "service-changed.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  selector: {a: c}\n  ports:\n"
    "  - {name: dnst, port: 53, protocol: TCP, targetPort: 5353}\n  - {name: dns, port: 53, protocol: UDP}\n",
    "two.yaml": _CONFIG_MAP + "metadata: {name: t1}\n---\n" + _CONFIG_MAP + 'metadata: {name: t2, labels: {x: "y"}}\n',
    "mixed.yaml": _CONFIG_MAP
    + "metadata: {name: t1}\n---\n"
    + _CONFIG_MAP
    + 'metadata: {name: "T_3"}\n---\nfoo: bar\n',
    "list.json": '{"apiVersion":"v1","kind":"ConfigMapList","items":[{"metadata":{"name":"l1"}},'
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"l2"}}]}',
    "untyped-list.yaml": "apiVersion: v1\nkind: List\nitems:\n- metadata: {name: u1}\n"
    "- {apiVersion: v1, metadata: {name: u2}}\n- {kind: ConfigMap, metadata: {name: u3}}\n"
    "- {apiVersion: v1, kind: ConfigMap, metadata: {name: u4}}\n",
    "list-in-list.yaml": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n"
    "  - {apiVersion: v1, kind: ConfigMap, metadata: {name: v}}\n",
    "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: recorded-x}\n",
    "nameless.yaml": _CONFIG_MAP + "data: {a: b}\n",
    "broken.yaml": _CONFIG_MAP + "metadata:\n  name: a\ndata:\n  a: b\n  c: d: e\n",
    "elsewhere.yaml": _CONFIG_MAP + "metadata: {name: e, namespace: other}\n",
    "held.yaml": _CONFIG_MAP + "metadata: {name: h, finalizers: [example.com/x]}\n",
    "folder/a.yaml": _CONFIG_MAP + "metadata: {name: fa}\n",
    "folder/b.txt": "no manifest",
    "folder/deeper/c.yml": _CONFIG_MAP + "metadata: {name: fc}\n",
    "raw.json": '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"raw"}}',
}

CASES: dict[str, list[str]] = {
    "create": [
        "create -f settings.yaml",
        "create -f settings.yaml",
        "create -f two.yaml --dry-run=server -o yaml",
        "create -f two.yaml --dry-run=client -o json",
        "create -f two.yaml -l x=y -o name",
        "create -f list.json",
        "create -f mixed.yaml",
        "create -f mixed.yaml --validate=ignore",
        "create -f broken.yaml",
        "create -f elsewhere.yaml",
        "create -f elsewhere.yaml -n recorded",
        "create -f service.yaml --save-config --field-manager=me --validate=warn -o name",
        "create -f folder -R",
    ],
    "apply": [
        "apply -f settings.yaml",
        "apply -f settings.yaml",
        "apply -f settings-changed.yaml --dry-run=server",
        "apply -f settings-changed.yaml --dry-run=client -o yaml",
        "apply -f settings-changed.yaml",
        "apply -f settings.yaml -o name",
        "apply -f elsewhere.yaml",
        "apply -f nameless.yaml",
        "apply -f mixed.yaml",
        "apply -f two.yaml -o json",
    ],
    "apply-deployment": [
        "apply -f deployment.yaml",
        "apply -f deployment-changed.yaml --overwrite=false",
        "apply -f deployment-changed.yaml",
        "apply -f deployment.yaml --openapi-patch=false",
        "apply -f deployment-changed.yaml --dry-run=client -o yaml",
        "apply -f deployment-changed.yaml --dry-run=server -o json",
        "apply -f deployment-changed.yaml -o name",
        "apply -f deployment-changed.yaml",
    ],
    "apply-lists": [
        "apply -f list.json",
        "apply -f list.json -o yaml",
        "apply -f untyped-list.yaml",
        "create -f untyped-list.yaml",
        "apply -f two.yaml -l x=y",
        "apply -f two.yaml -l x=",
        "create -f list-in-list.yaml",
        "delete -f untyped-list.yaml",
        "delete -f list.json",
    ],
    "apply-service": ["create -f service.yaml", "apply -f service-changed.yaml", "apply -f service.yaml"],
    "apply-server-side": [
        "apply --server-side -f settings.yaml",
        "apply --server-side -f settings.yaml --field-manager=other",
        "apply --server-side -f settings-changed.yaml --field-manager=other",
        "apply --server-side -f settings-changed.yaml --field-manager=other --force-conflicts",
    ],
    "apply-migration": [
        "apply -f settings.yaml",
        "apply --server-side -f settings-changed.yaml --dry-run=server",
        "apply --server-side -f settings-changed.yaml",
        "apply --server-side -f settings.yaml",
        "apply -f service.yaml",
        "apply --server-side -f service-changed.yaml --field-manager=me",
    ],
    "delete": [
        "create -f two.yaml",
        "delete -f two.yaml --dry-run=server",
        "delete -f two.yaml",
        "delete -f two.yaml",
        "delete -f two.yaml --ignore-not-found",
        "create -f two.yaml",
        "delete cm t1 t2 t3 --now",
        "create -f two.yaml",
        "delete cm -l x=y -o name",
        "delete cm/t1 --cascade=orphan --grace-period=5",
        "delete cm -l x=y",
        "delete cm t1 --force",
        "create -f held.yaml",
        "delete cm h --timeout=1s",
        "delete cm h --wait=false",
        "delete -f nameless.yaml",
    ],
    "delete-deployment": [
        "create -f deployment.yaml",
        "delete deploy d --cascade=orphan",
        "create -f deployment.yaml",
        "delete deploy/d --cascade=foreground --wait=false",
        "delete -f deployment.yaml --cascade=background --ignore-not-found --wait=false",
    ],
    "namespace": ["create -f namespace.yaml", "delete -f namespace.yaml -n recorded --wait=false"],
}
