"""Requests about the protocol whose answers were recorded from a real kube-apiserver: what a client accepts, what a
body is encoded in, what the query says. In one new namespace (NS) that holds the configmaps `a` and `b`."""

# ruff: noqa: E501

from __future__ import annotations

import http.client
import json
import re
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Case = tuple[str, str, dict[str, str], bytes | None]
"""(method, path, headers, body)"""

MAPS = "/api/v1/namespaces/NS/configmaps"
ONE = f"{MAPS}/a"
JSON = "application/json"
_TABLE = "as=Table;v=v1;g=meta.k8s.io"
_ACCEPTS = (
    *(
        "",
        "*/*",
        "application/*",
        "text/*",
        "text/html",
        "text/plain",
        "garbage",
        ",",
        ";",
        "a/b/c",
        "application/json;",
    ),
    *("application/yaml", "text/yaml", "application/x-yaml", "application/xml, application/json", "text/html, */*"),
    *("application/json;q=0.1, application/yaml", "application/yaml;q=0.1, application/json;q=0.9"),
    *("application/yaml;q=0.5,*/*;q=0.8", "application/json;q=0", "application/json;q=abc", "APPLICATION/JSON"),
    *("application/json;charset=utf-8", "application/json;stream=watch", "application/json;stream=other"),
    *("application/json;sv=v1", "application/json;pretty=1", "application/json;export=1", "application/json;profile=x"),
    f"application/json;{_TABLE}",
    f"application/yaml;{_TABLE}",
    f"application/vnd.kubernetes.protobuf;{_TABLE}",
    f"application/vnd.kubernetes.protobuf;{_TABLE},application/json",
    "application/json;as=Table",
    "application/json;as=Table;v=v1",
    "application/json;as=Table;g=meta.k8s.io",
    "application/json;as=Table;v=v1beta1;g=meta.k8s.io",
    "application/json;as=Table;v=v2;g=meta.k8s.io",
    "application/json;as=Table;v=v1;g=other",
    "application/json;as=Table;v=v2;g=meta.k8s.io,application/json",
    "application/json;as=Tables;v=v1;g=meta.k8s.io",
    "application/json;as=Tables;v=v1;g=meta.k8s.io, application/json",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1beta1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1beta1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v3;g=meta.k8s.io",
    "application/json; as = Table ; v=v1 ; g=meta.k8s.io",
    "application/json;v=v1",
    "application/json;g=meta.k8s.io",
    "application/json;as=",
    'application/json;as="Table";v="v1";g="meta.k8s.io"',
    "application/cbor",
    "application/cbor, application/json",
    "application/apply-patch+yaml",
    "application/json-seq",
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
)
_DISCOVERY_ACCEPTS = (
    *("", "*/*", "text/html", "application/yaml", "text/plain", "application/xml", "application/cbor", "garbage"),
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList",
    "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json",
    "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io;profile=local",
    "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io;profile=nopeer",
    "application/json;as=Other;v=v2;g=apidiscovery.k8s.io",
    "application/yaml;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
    "application/json;as=Table;v=v1;g=meta.k8s.io",
    "text/html, application/json",
)
_PLACES = (
    *("/api", "/apis", "/api/v1", "/apis/apps", "/apis/apps/v1", "/version", "/", "/healthz", "/openapi/v2"),
    *("/openapi/v3", "/openapi/v3/apis/apps/v1", "/.well-known/openid-configuration", "/openid/v1/jwks"),
    *("/nope", "/apis/nope", "/api/v2", "/apis/apps/v9", "/api/v1/nopes", "/healthz/nope", "/livez?verbose=maybe"),
)
_BODY_KINDS = (
    *("", "application/json", "application/json; charset=utf-8", "application/json;", "application/json;;", "json"),
    *("APPLICATION/JSON", " application/json ", "application/yaml", "text/yaml", "application/x-yaml", "text/plain"),
    *("application/cbor", "application/cbor; charset=utf-8", "application/cbor-seq", "application/xml", "*/*"),
    *("application/*", "application/merge-patch+json", "application/apply-patch+yaml", "application/json, text/plain"),
    *(
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/octet-stream",
        "application/json;a=b;a=c",
    ),
    *("application/strategic-merge-patch+json", "application/json-patch+json", "application/vnd.kubernetes.protobuf"),
    *("application/vnd.kubernetes.protobuf;stream=watch", "application/vnd.kubernetes.protobuf2"),
)
_METHODS = ("HEAD", "OPTIONS", "TRACE", "BREW", "get", "PROPFIND", "POST", "PUT", "PATCH", "DELETE", "GET")
_QUERIES = (
    *("timeout=abc", "timeout=10", "timeout=-1s", "timeout=1s", "timeout=0", "timeout=5m", "timeout=1h30m", "timeout="),
    *(
        "limit=abc",
        "limit=-1",
        "limit=0",
        "limit=1.5",
        "limit=",
        "limit=99999999999999999999",
        "limit=1&limit=2",
        "limit=+1",
    ),
    *("limit=0x1", "limit=%201", "limit=1_0"),
    *(
        "watch=maybe&timeoutSeconds=1&resourceVersion=1",
        "watch=false",
        "watch=0",
        "watch=",
        "watch=&timeoutSeconds=abc",
    ),
    *("pretty", "pretty=true", "pretty=maybe", "pretty=1", "resourceVersion=abc", "resourceVersion=-1"),
    *("resourceVersion=0", "resourceVersion=1.5", "resourceVersion=99999999999999999999", "resourceVersion="),
    *("resourceVersion=0&resourceVersionMatch=Exact", "resourceVersion=0&resourceVersionMatch=NotOlderThan"),
    *("resourceVersionMatch=Exact", "resourceVersionMatch=Other&resourceVersion=1", "resourceVersionMatch=exact"),
    *("resourceVersionMatch=NotOlderThan&resourceVersion=abc", "resourceVersion=abc&resourceVersionMatch=Exact"),
    *(
        "continue=abc",
        "continue=%00",
        "continue=e30",
        "continue=W10",
        "continue=IA&limit=1",
        "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ",
    ),
    *(
        "continue=abc&resourceVersion=1",
        "continue=abc&resourceVersionMatch=Exact&resourceVersion=1",
        "continue=abc&resourceVersion=0",
    ),
    *("continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi94In0", "continue=a=b", "continue=a%3D%3D"),
    *(
        "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYSJ9",
        "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6IngifQ",
    ),
    *(
        "sendInitialEvents=true",
        "sendInitialEvents=false",
        "sendInitialEvents=true&watch=1",
        "sendInitialEvents=false&watch=1",
    ),
    *(
        "sendInitialEvents=maybe&watch=1&resourceVersionMatch=Exact",
        "sendInitialEvents=true&watch=1&resourceVersionMatch=Exact",
    ),
    *(
        "sendInitialEvents=true&watch=1&resourceVersionMatch=Other",
        "sendInitialEvents=&watch=1",
        "watch=1&resourceVersionMatch=Exact",
    ),
    *(
        "watch=1&resourceVersionMatch=NotOlderThan&resourceVersion=1",
        "watch=1&resourceVersion=abc",
        "watch=1&resourceVersion=-1",
    ),
    *("watch=1&timeoutSeconds=abc", "timeoutSeconds=abc", "timeoutSeconds=-1", "timeoutSeconds=1.5", "timeoutSeconds="),
    *(
        "allowWatchBookmarks=maybe",
        "allowWatchBookmarks=",
        "dryRun=All",
        "fieldManager=x",
        "unknown=1",
        "&&&",
        "=",
        "a;b",
        "%zz",
    ),
    *(
        "labelSelector=%zz",
        "fieldSelector=a=b",
        "labelSelector=a=b&labelSelector=c=d",
        "fieldSelector=metadata.name=a&fieldSelector=metadata.name=b",
    ),
    *(
        "watch=1&limit=abc",
        "watch=1&fieldSelector=nope=1",
        "watch=1&labelSelector=%21%21",
        "watch=1&continue=abc&timeoutSeconds=1",
    ),
    *(
        "export=true",
        "exact=true",
        "includeUninitialized=true",
        "resourceVersion=1&limit=1&resourceVersionMatch=NotOlderThan",
    ),
    *("shardSelector=a", "shardSelector=", "ignoreStoreReadErrorWithClusterBreakingPotential=true"),
)
_LABELS = (
    *(
        "a",
        "a=b",
        "a==b",
        "a!=b",
        "!a",
        "! a",
        "a in (b)",
        "a in (b,c)",
        "a notin (b)",
        "a in ()",
        "a in (,)",
        "a in (b",
        "a in b",
    ),
    *(
        "a in (b))",
        "a=b,",
        ",a=b",
        "a=b,,c=d",
        "=b",
        "a=",
        "a==",
        "a!=",
        "a===b",
        "a=b c",
        "a b",
        "a>1",
        "a<1",
        "a>x",
        "a>",
        "a > 1",
    ),
    *(
        "a/b=c",
        "a/b/c=d",
        "/a=b",
        "a/=b",
        "A_b.c-d=x",
        "-a=b",
        "a=-b",
        "a=b/c",
        "a=b:c",
        "a in (b c)",
        "in",
        "in in (in)",
        "notin notin (x)",
    ),
    *(
        "!a=b",
        "!!a",
        "!",
        "a!",
        "a!b",
        "()",
        "(a)",
        "a,b,c",
        "a,!b",
        "a=b,c!=d,e in (f),!g",
        "é=1",
        "a=é",
        "a\t=b",
        "a\n=\nb",
        "'a'='b'",
    ),
    *(
        '"a"=b',
        "a={}",
        "a=*",
        "*",
        "a=b;c=d",
        "a=b&c=d",
        "a=b\\,c",
        "a in (b,)",
        "a in (,b)",
        "a in (b,b)",
        "a exists",
        "a gt 1",
        "a gt (1)",
    ),
    *(
        "a=" + "x" * 63,
        "a=" + "x" * 64,
        "x" * 63,
        "x" * 64,
        "y" * 253 + "/a",
        "y" * 254 + "/a",
        "Y/a",
        "a..b/c",
        ".a",
        "a.",
        "a=b.",
        "a=.b",
    ),
    *(
        "a>1.5",
        "a>-1",
        "a>+1",
        "a>0x1",
        "a>99999999999999999999",
        "a>=1",
        "a<=1",
        "a=>1",
        "a<>b",
        "a=!b",
        "a=(b)",
        "a=in",
        "a=b in (c)",
    ),
)
_FIELDS = (
    *("a", "metadata.name", "metadata.name=", "metadata.name=a", "metadata.name==a", "metadata.name!=a", "metadata.name===a", "=a"),
    *("metadata.namespace=NS", "metadata.namespace=x", "metadata.name=a,metadata.name=b", ",", "a,b", "metadata.name=a,", ",metadata.name=a"),
    *("metadata.name=a\\,b", "metadata.name=a\\=b", "metadata.name=a\\b", "metadata.name=a\\", "metadata.name=a=b", "metadata.name in (a)"),
    *("metadata.labels.a=b", "metadata.uid=1", "Metadata.name=a", " metadata.name=a", "metadata.name =a", "metadata.name= a", "!metadata.name"),
    *("data.x=1", "metadata.name>a", "metadata.name!a", "metadata.creationTimestamp=x", "metadata.name!=a,metadata.namespace!=NS"),
)  # fmt: skip
_SELECTED = {
    "/api/v1/namespaces/NS/pods": (
        *("spec.nodeName=x", "status.phase=Running", "spec.restartPolicy!=Always", "spec.schedulerName=x", "spec.hostNetwork=true"),
        *("spec.serviceAccountName=default", "status.podIP=1", "status.podIPs=1", "status.nominatedNodeName=", "spec.host=x"),
        *("spec.containers=x", "status.reason=x", "spec.hostname=x", "metadata.labels=x", "spec.containers[0].name=x"),
    ),
    "/api/v1/namespaces/NS/events": (
        *("involvedObject.kind=Pod", "involvedObject.name!=x", "involvedObject.apiVersion=v1", "involvedObject.fieldPath="),
        *("reason=x", "type=Normal", "source=x", "reportingComponent=x", "reportingController=x", "regarding.kind=Pod", "count=1"),
    ),
    "/apis/events.k8s.io/v1/namespaces/NS/events": (
        *("involvedObject.kind=Pod", "regarding.kind=Pod", "regarding.name=x", "reason=x", "type=Normal", "reportingController=x"),
        *("reportingComponent=x", "source=x", "note=x"),
    ),
    "/api/v1/namespaces/NS/secrets": ("type=Opaque", "data=x", "metadata.name=x"),
    "/api/v1/namespaces": ("metadata.name=NS,status.phase=Active", "spec.finalizers=x", "metadata.namespace=x", "name=x", "metadata.name=NS"),
    "/api/v1/nodes": ("spec.unschedulable=false", "spec.podCIDR=x", "metadata.namespace=x", "spec.unschedulable=true"),
    "/api/v1/namespaces/NS/replicationcontrollers": ("status.replicas=0", "spec.replicas=1"),
    "/api/v1/namespaces/NS/services": ("spec.clusterIP=None", "spec.type=ClusterIP", "spec.ports=1"),
    "/api/v1/namespaces/NS/endpoints": ("metadata.name=x", "subsets=x"),
    "/api/v1/persistentvolumes": ("metadata.name=x", "name=x", "spec.claimRef.name=x"),
    "/api/v1/namespaces/NS/persistentvolumeclaims": ("metadata.name=x", "name=x", "spec.volumeName=x"),
    "/apis/batch/v1/namespaces/NS/jobs": ("status.successful=0", "status.succeeded=0", "spec.completions=1"),
    "/apis/batch/v1/namespaces/NS/cronjobs": ("spec.suspend=true", "metadata.name=x"),
    "/apis/apps/v1/namespaces/NS/deployments": ("status.replicas=0", "spec.replicas=1", "metadata.name=x"),
    "/apis/apps/v1/namespaces/NS/replicasets": ("status.replicas=0", "spec.replicas=1"),
    "/apis/apps/v1/namespaces/NS/controllerrevisions": ("revision=1",),
    "/apis/certificates.k8s.io/v1/certificatesigningrequests": ("spec.signerName=x", "spec.username=x"),
    "/apis/networking.k8s.io/v1/namespaces/NS/ingresses": ("spec.ingressClassName=x", "metadata.name=x"),
    "/apis/rbac.authorization.k8s.io/v1/clusterroles": ("metadata.name=edit", "rules=x", "metadata.namespace=x"),
    "/apis/storage.k8s.io/v1/storageclasses": ("provisioner=x", "metadata.name=x"),
    "/apis/resource.k8s.io/v1/resourceslices": ("spec.nodeName=x", "spec.driver=x", "spec.pool=x"),
    "/apis/apiregistration.k8s.io/v1/apiservices": ("metadata.name=v1.", "spec.group=x", "metadata.namespace=x"),
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": ("metadata.name=x", "spec.group=x", "metadata.namespace=x"),
    "/apis/coordination.k8s.io/v1/namespaces/NS/leases": ("spec.holderIdentity=x", "metadata.name=x"),
    "/apis/autoscaling/v2/namespaces/NS/horizontalpodautoscalers": ("spec.maxReplicas=1",),
    "/apis/autoscaling/v1/namespaces/NS/horizontalpodautoscalers": ("spec.maxReplicas=1",),
    "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas": ("metadata.name=exempt", "spec.matchingPrecedence=1"),
    "/apis/node.k8s.io/v1/runtimeclasses": ("handler=x",),
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations": ("webhooks=x",),
}  # fmt: skip
_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "made"}}
_PROTOBUF_BODIES = (
    *(b"", b"k8s\0", b"k8s\0\x0a", b"k8s\0garbage", b"garbage", b"k8s", b'{"kind":"ConfigMap"}', b"k8s\0\x0a\x00\x12\x00"),
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x05\x0a\xff\xff\xff\x0f",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\x0a\x05",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x02\x08\x05",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x01\xff",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x00\x1a\x04gzip",
    b"k8s\0\x0a\x0f\x0a\x02v1\x12\x09ConfigMap\x12\x00\x22\x10application/json",
    b"k8s\0\x0a\x0c\x0a\x02v1\x12\x06Secret\x12\x00",
    b"k8s\0\x0a\x0b\x0a\x02v1\x12\x05Nopes\x12\x00",
    b"k8s\0\x0a\x0f\x0a\x02v9\x12\x09ConfigMap\x12\x00",
)  # fmt: skip


def _get(path: str, accept: str | None = JSON, **headers: str) -> Case:
    sent = {} if accept is None else {"Accept": accept}
    return "GET", path, sent | {name.replace("_", "-"): value for name, value in headers.items()}, None


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


_ODD_TEXTS = (
    *(b'{"metadata":{"name":"x","generation":1.0}}', b'{"metadata":{"name":"x"}}garbage', b"[" * 2000, b"NaN", b"// c"),
    *(b'{"METADATA":{"name":"x"}}', b'{"metadata":{"name":"x","generation":9223372036854775808}}', b"\xff\xfe"),
    *(b'{"metadata":null}', b'{"metadata":{"name":"x","labels":{"a":null}}}', b'{"apiVersion":1}', b'{"kind":[]}'),
)
_ODD_PLACES = (
    *(
        "/apis//v1",
        "//api/v1/pods",
        "/openapi/v3/api/v1?hash=nope",
        f"{MAPS}/..",
        f"{MAPS}/%2e%2e",
        f"{MAPS}/%zz",
        f"{MAPS}//x",
    ),
    *(
        "/api/../apis",
        "/api/v1/Pods",
        "/apis/APPS/v1",
        "/healthz/nope",
        "/livez?exclude=nope",
        "/openapi/v4",
        "/index.htm",
    ),
)


def _odd() -> Iterator[Case]:
    """Bodies and places that nobody means."""
    for text in _ODD_TEXTS:
        for how in ("", "&fieldValidation=Strict"):
            yield "POST", f"{MAPS}?dryRun=All{how}", {"Content-Type": JSON}, text
    for kind in ("merge-patch", "strategic-merge-patch", "json-patch"):
        for text in (b"", b"k8s", b"{}"):
            yield "PATCH", f"{MAPS}/none?dryRun=All", {"Content-Type": f"application/{kind}+json"}, text
    for path in _ODD_PLACES:
        for method in ("GET", "HEAD", "OPTIONS"):
            yield method, path, {}, None
    yield "DELETE", f"{ONE}?dryRun=All&includeObject=x", {"Accept": f"application/json;{_TABLE}"}, None
    yield from (_get(f"{ONE}?includeObject={how}", JSON) for how in ("x", "Metadata"))
    for accept in ("application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", f"application/json;{_TABLE}"):
        yield _get(f"{MAPS}?watch=1&timeoutSeconds=1&resourceVersion=0", accept)


def cases() -> Iterator[Case]:
    yield from _odd()
    yield from (_get(ONE, accept) for accept in _ACCEPTS)
    yield from (_get(f"{MAPS}?fieldSelector=metadata.name=a", accept) for accept in _ACCEPTS)
    yield from (
        _get(f"{MAPS}?watch=1&timeoutSeconds=1&resourceVersion=LATEST", accept)
        for accept in _ACCEPTS
        if "q=" not in accept
    )
    yield from (_get(f"{MAPS}/none", accept) for accept in _ACCEPTS)
    yield from (_get(place, accept) for place in _PLACES for accept in _DISCOVERY_ACCEPTS)
    yield from (
        _get(f"{MAPS}?includeObject={how}", f"application/json;{_TABLE}")
        for how in ("", "None", "Object", "Metadata", "x")
    )
    text = json.dumps(_MAP).encode()
    for kind in _BODY_KINDS:
        headers = {"Accept": JSON, "Content-Type": kind}
        yield "POST", f"{MAPS}?dryRun=All", headers, text
        yield "PUT", f"{ONE}?dryRun=All", headers, text.replace(b"made", b"a")
        yield "PATCH", f"{ONE}?dryRun=All&fieldManager=x", headers, text.replace(b"made", b"a")
        yield "DELETE", f"{MAPS}/none", headers, b'{"kind":"DeleteOptions","apiVersion":"v1"}'
    yield "POST", f"{MAPS}?dryRun=All", {"Accept": "text/html", "Content-Type": JSON}, text
    yield "DELETE", f"{MAPS}/none", {"Accept": "text/html"}, None
    yield "PATCH", ONE, {"Accept": "text/html", "Content-Type": "application/merge-patch+json"}, b"{}"
    for encoding in ("gzip", "identity", "deflate", "br", "nope"):
        yield "POST", f"{MAPS}?dryRun=All", {"Content-Type": JSON, "Content-Encoding": encoding}, text
    for method in _METHODS:
        for path in (ONE, MAPS, "/api/v1/configmaps", "/version", "/healthz", "/api", "/apis", "/apis/apps", "/apis/apps/v1", "/",
                     "/openapi/v2", "/openapi/v3", "/openapi/v3/api/v1", "/metrics", "/nope", "/api/v1/namespaces/NS/pods/x/log",
                     "/api/v1/namespaces/NS/pods/x/exec", "/apis/apps/v1/namespaces/NS/deployments/x/scale", "/api/v1/namespaces/NS/pods/x/nope"):  # fmt: skip
            if method not in ("GET", "DELETE") and (path, method) != (MAPS, "POST"):
                yield method, path, {"Accept": JSON, "Content-Type": JSON}, None
    ending = "&timeoutSeconds=1"
    yield from (_get(f"{MAPS}?{query}{'' if 'timeoutSeconds' in query else ending}") for query in _QUERIES)
    yield from (_get(f"{ONE}?{query}") for query in _QUERIES if "watch=" not in query)
    yield from (_get(f"{MAPS}?labelSelector={_quoted(text)}") for text in _LABELS)
    yield from (_get(f"{MAPS}?fieldSelector={_quoted(text)}") for text in _FIELDS)
    yield from (_get(f"{path}?fieldSelector={_quoted(text)}") for path, texts in _SELECTED.items() for text in texts)
    for body in _PROTOBUF_BODIES:
        yield (
            "POST",
            f"{MAPS}?dryRun=All",
            {"Accept": JSON, "Content-Type": "application/vnd.kubernetes.protobuf"},
            body,
        )
    for body in (
        b"\xff\xfe",
        b"\t",
        b"a: b: c",
        b"a: [",
        b"- a",
        b"5",
        b"",
        b"---\n---\n",
        b"a: &a [*a]",
        b"{}{}",
        b"kind: ConfigMap\nkind: Secret\n",
    ):
        yield "POST", f"{MAPS}?dryRun=All", {"Accept": JSON, "Content-Type": "application/yaml"}, body
    for path in ("/api/v1/namespaces/NS/configmaps/A_B", "/api/v1/namespaces/NS/configmaps/%2e%2e", "/api/v1/namespaces/%2e/configmaps",
                 "/api/v1/namespaces/A_B/configmaps", "/api/v1/namespaces/NS/configmaps/a%2Fb", "/api/v1/namespaces/NS/configmaps/a%25b",
                 "/api/v1//configmaps", "//api/v1/configmaps", "/api/v1/namespaces/NS/configmaps/a/",
                 "/api/v1/namespaces/NS/configmaps//a", "/api/v1/namespaces/NS/configmaps/a//",
                 "/api/v1/namespaces/NS/configmaps/a/b/c/d", "/api/v1/./configmaps", "/api/v1/../v1/configmaps", "/api/v1/%00",
                 "/api/v1/namespaces/NS/configmaps/%00", "/api/v1/namespaces/NS/configmaps/%0a", "/api/v1/namespaces/NS/configmaps/%C3%A9",
                 "/api/v1/namespaces/NS/configmaps/" + "x" * 300, "/apis//v1/x", "/api/", "/apis/",
                 "/apis/apps/", "/apis/apps/v1/", "/version/", "/healthz/", "/openapi/v2/", "/openapi/v3/", "/metrics/", "/openapi", "/openapi/v4",
                 "/openapi/v3/nope",   "/api/v1/watch/configmaps/a/b/c", "/api/v1/namespaces/NS", "/apis/apps/v1/namespaces/NS",
                 "/logs", "/ui", "/swaggerapi", "/swagger.json", "/configz",
                 "/api/v1/namespaces/NS/nodes", "/api/v1/nodes/x/y", "/apis/apps/v1/namespaces/NS/deployments/x/status/y"):  # fmt: skip
        yield _get(path)


_CHANGING = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|\d{4}-\d\d-\d\dT[0-9:]+Z|[0-9A-F]{128}|resourceVersion\W+\d+"
)
_HEADERS = ("Allow", "Cache-Control", "Retry-After", "Vary", "Warning", "X-Content-Type-Options")
_SHORT = 300


def plain(status: int, headers: dict[str, str], body: bytes, namespace: str, host: str) -> list[Any]:
    """[status, content type, other headers, what is said]: of an object its fields, of a list its names as well."""
    text = body.decode("utf-8", "replace").replace(namespace, "NS").replace(host, "HOST")
    kind = headers.get("Content-Type", "")
    told: Any = "" if "version=0.0.4" in kind else _CHANGING.sub("*", text)[:_SHORT]
    if "json" in kind and text.startswith("{"):
        value = json.loads(text.partition("\n{")[0])
        if value.get("kind") == "Status":
            told = [text.count("\n"), value]
        else:
            names = [
                (item.get("metadata") or {}).get("name") for item in value.get("items") or [] if "group" not in kind
            ]
            told = [text.count("\n") > 1, sorted(value), [value.get("kind"), value.get("apiVersion")], names]
    if "yaml" in kind and len(text) > _SHORT:
        told = told.partition("\n")[0]
    return [status, kind, {name: headers[name] for name in _HEADERS if name in headers}, told]


class Place:
    """A server and one of its users, asked without headers that nobody named."""

    def __init__(self, host: str, tls: ssl.SSLContext, token: str) -> None:
        self.host, self.tls, self.token = host, tls, token

    def call(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPSConnection(self.host, context=self.tls, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in {"Authorization": f"Bearer {self.token}", "User-Agent": "test", **headers}.items():
                connection.putheader(name, value)
            if body is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(body or b"")))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def answers(place: Place) -> dict[str, Any]:
    """What a server says to all cases, by the case."""

    def make(path: str, metadata: dict[str, str]) -> Any:
        told = place.call("POST", path, {"Content-Type": JSON}, json.dumps({"metadata": metadata}).encode())[2]
        return json.loads(told)

    namespace = make("/api/v1/namespaces", {"generateName": "wire-"})["metadata"]["name"]
    maps = MAPS.replace("NS", namespace)
    while place.call("GET", f"{maps}/kube-root-ca.crt", {}, None)[0] != 200:
        time.sleep(0.05)
    for name in "ab":
        make(maps, {"name": name})
    latest = json.loads(place.call("GET", maps, {}, None)[2])["metadata"]["resourceVersion"]

    def one(case: Case) -> tuple[str, Any]:
        method, path, headers, body = case
        sent = path.replace("NS", namespace).replace("LATEST", latest)
        told = plain(*place.call(method, sent, headers, body), namespace, place.host)
        return f"{method} {path} {json.dumps(headers)} {(body or b'').decode('latin-1')}", told

    with ThreadPoolExecutor(24) as pool:
        found = dict(pool.map(one, cases()))
    place.call("DELETE", f"/api/v1/namespaces/{namespace}", {}, None)
    return found
