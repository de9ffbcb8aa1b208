"""What may not leave the program, in every form in which a body can carry it."""

from __future__ import annotations

import base64
import json
import re
import struct

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubetrace.trace.masking import Masker, mask_authorization

SECRET = "hunter2-hunter2"
ENCODED = base64.b64encode(SECRET.encode()).decode()
SECRETS_URL = "https://host/api/v1/namespaces/default/secrets/s1?fieldManager=x"


def secret(**extra: object) -> dict[str, object]:
    return {"apiVersion": "v1", "data": {"password": ENCODED}, "kind": "Secret", "metadata": {"name": "s"}, **extra}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ""),
        ("Bearer tok", "Bearer <masked>"),
        ("bearer tok", "bearer <masked>"),
        ("Basic x", "Basic <masked>"),
        ("Negotiate x", "Negotiate <masked>"),
        ("Bearer", "Bearer"),
        ("bearer ", "bearer"),
        ("Bearer  ", "Bearer <masked>"),
        ("Bearer  tok", "Bearer <masked>"),
        ("abc xyz", "<masked>"),
        ("sometoken", "<masked>"),
        ("Digest a=b", "<masked>"),
        (" Bearer x", "<masked>"),
        ("Bearer\tx", "<masked>"),
    ],
)
def test_authorization_follows_client_go(value: str, expected: str) -> None:
    assert mask_authorization(value) == expected


@pytest.mark.parametrize(
    "document",
    [
        secret(),
        secret(stringData={"other": SECRET}),
        {"kind": "List", "items": [{"kind": "Pod", "data": {}}, secret()]},
        {"kind": "SecretList", "items": [{"metadata": {}, "data": {"a": ENCODED}}]},
        {"items": [{"data": {"a": ENCODED}}], "kind": "SecretList"},
        {"type": "ADDED", "object": secret()},
        {"kind": "Table", "rows": [{"cells": ["s"], "object": secret()}]},
        {"kind": "Secret", "data": {"kind": ENCODED, "op": ENCODED, "path": ENCODED, "value": ENCODED}},
        {"kind": "ConfigMap", "metadata": {"annotations": {"last-applied": json.dumps(secret())}}},
        {"metadata": {"annotations": {"last-applied": json.dumps(secret(stringData={"a": 'x"' + SECRET}))}}},
        {"kind": "TokenRequest", "status": {"token": SECRET}},
        {"kind": "TokenReview", "spec": {"token": SECRET}},
        {"kind": "ExecCredential", "status": {"token": SECRET, "clientKeyData": SECRET}},
        {"kind": "Config", "users": [{"name": "u", "user": {"token": SECRET, "client-key-data": ENCODED}}]},
        [{"op": "replace", "path": "/data/password", "value": ENCODED}],
        [{"op": "add", "path": "/data", "value": {"password": ENCODED}}],
        [{"op": "replace", "path": "", "value": {"data": {"password": ENCODED}}}, {"kind": "Secret"}],
        {"kind": "ConfigMap", "data": {"kubeconfig": f"kind: Config\nusers:\n- user:\n    token: {SECRET}\n"}},
    ],
)
@pytest.mark.parametrize("indent", [None, 2])
def test_no_secret_is_left_and_the_rest_keeps_its_bytes(document: object, indent: int | None) -> None:
    body = json.dumps(document, indent=indent).encode()
    masked = Masker().body(body)
    assert SECRET.encode() not in masked and ENCODED.encode() not in masked
    assert b"<masked:1>" in masked
    # Nothing but the values has changed: putting them back gives the body again.
    assert all(part in body for part in re.split(rb"<masked:\d>", masked))
    assert isinstance(json.loads(masked), type(document))


@pytest.mark.parametrize("cut", range(20, 120, 7))
def test_a_truncated_secret_does_not_leak(cut: int) -> None:
    body = json.dumps({"data": {"first": ENCODED, "second": ENCODED}, "kind": "Secret", "metadata": {}}).encode()
    masked = Masker().body(body[:cut], url=SECRETS_URL)
    assert ENCODED[:6].encode() not in masked


def test_a_truncated_list_does_not_leak_what_came_before_the_cut() -> None:
    body = json.dumps({"items": [{"data": {"a": ENCODED}}, {"data": {"a": ENCODED}}], "kind": "SecretList"}).encode()
    assert ENCODED.encode() not in Masker().body(body[:80], url="https://host/api/v1/secrets")


def test_a_patch_without_kind_is_known_by_its_url() -> None:
    body = json.dumps({"data": {"password": ENCODED}}).encode()
    assert Masker().body(body, url=SECRETS_URL) == b'{"data": {"password": "<masked:1>"}}'
    config_map = "https://host/api/v1/namespaces/default/configmaps/c"
    assert Masker().body(body, url=config_map) == body
    patch = json.dumps([{"op": "replace", "path": "/data/password", "value": ENCODED}]).encode()
    assert Masker().body(patch, url=config_map) == patch


def test_a_value_and_its_base64_share_a_placeholder() -> None:
    masker = Masker()
    body = json.dumps(secret(data={"a": ENCODED, "b": "b3RoZXI="}, stringData={"c": SECRET})).encode()
    masked = json.loads(masker.body(body))
    assert masked["data"] == {"a": "<masked:1>", "b": "<masked:2>"}
    assert masked["stringData"] == {"c": "<masked:1>"}
    masker.register(SECRET)
    assert masker.text(f"wrong password {SECRET}") == "wrong password <masked:1>"


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: Secret\ndata:\n  password: {ENCODED}\nmetadata:\n  name: s\n",
        f"kind: Secret\nstringData:\n  password: '{SECRET}'\n",
        f"kind: Secret\nstringData:\n  password: |\n    line\n    {SECRET}\n  next: x\n",
        f"data: {{password: {ENCODED}}}\nkind: Secret\n",
        f"kind: List\nitems:\n- data:\n    password: {ENCODED}\n  kind: Secret\n",
        f"kind: Config\nusers:\n- name: u\n  user:\n    token: {SECRET}\n",
        f"kind: TokenRequest\nstatus:\n  token: {SECRET}\n",
    ],
)
def test_yaml_bodies_are_masked(text: str) -> None:
    masked = Masker().body(text.encode())
    assert SECRET.encode() not in masked and ENCODED.encode() not in masked
    assert b"kind:" in masked


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


def _protobuf(kind: bytes, message: bytes) -> bytes:
    raw = bytes((2 << 3 | 2,)) + bytes((len(message) & 0x7F | 0x80, len(message) >> 7)) + message
    return b"k8s\x00" + _field(1, _field(1, b"v1") + _field(2, kind)) + raw + _field(3, b"")


def test_a_protobuf_secret_keeps_its_shape_and_loses_its_values() -> None:
    message = _field(1, _field(1, b"name")) + _field(2, _field(1, b"password") + _field(2, SECRET.encode()))
    body = _protobuf(b"Secret", message)
    masked = Masker().body(body)
    assert len(masked) == len(body) and SECRET.encode() not in masked and b"password" in masked
    assert b"<masked:1>*****" in masked
    cut = Masker().body(body[:-12])
    assert SECRET.encode()[:4] not in cut
    assert struct.pack("4s", b"k8s\x00") == cut[:4]


@pytest.mark.parametrize("url", ["https://h/api/v1/secrets?watch=1", None])
def test_a_protobuf_watch_of_secrets_loses_their_values(url: str | None) -> None:
    def frame(message: bytes) -> bytes:
        raw = _field(1, message)
        event = _field(1, b"ADDED") + bytes((2 << 3 | 2, len(raw) & 0x7F | 0x80, len(raw) >> 7)) + raw
        return len(event).to_bytes(4, "big") + event

    value = _field(1, b"password") + _field(2, SECRET.encode())
    body = frame(_protobuf(b"Secret", _field(1, _field(1, b"name")) + _field(2, value))) * 2
    masked = Masker().body(body, url)
    assert len(masked) == len(body) and SECRET.encode() not in masked and masked.count(b"password") == 2
    for cut in range(len(body)):
        part = Masker().body(body[:cut], url)
        assert len(part) == cut and SECRET.encode()[:4] not in part


def test_what_is_no_text_is_hidden_whole_where_secrets_are() -> None:
    body = b"\x00\x01 not what anybody knows: " + SECRET.encode()
    assert Masker().body(body, "https://h/api/v1/namespaces/n/secrets/s") == b"*" * len(body)
    assert Masker().body(body, "https://h/api/v1/namespaces/n/pods/p") == body


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h/x?access_token=abcdef", "https://h/x?access_token=<masked:1>"),
        ("https://h/x?a=b&token=abc&c=d", "https://h/x?a=b&token=<masked:1>&c=d"),
        ("https://h/x?continue=abc&limit=500", "https://h/x?continue=abc&limit=500"),
        ("https://user:pass@h/x", "https://user:<masked:1>@h/x"),
        ("https://h/cb#id_token=abc&state=x", "https://h/cb#id_token=<masked:1>&state=x"),
        ("https://s3/x?X-Amz-Date=1&X-Amz-Signature=ab", "https://s3/x?X-Amz-Date=1&X-Amz-Signature=<masked:1>"),
        ("https://h/x?apikey=ab&sig=cd&jwt=ef", "https://h/x?apikey=<masked:1>&sig=<masked:2>&jwt=<masked:3>"),
        (
            "https://h/exec?command=-H&command=Authorization%3A+Bearer+abcdefgh&stdin=1",
            "https://h/exec?command=-H&command=Authorization%3A+Bearer+<masked:1>&stdin=1",
        ),
        ("https://h/x?command=basic+auth&signal=9&tokens=1", "https://h/x?command=basic+auth&signal=9&tokens=1"),
    ],
)
def test_tokens_in_urls(url: str, expected: str) -> None:
    assert Masker().url(url) == expected
    assert Masker().text(f'Get "{url}": EOF') == f'Get "{expected}": EOF'


JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (json.dumps({"access_token": SECRET, "token_type": "bearer", "expires_in": 3}), '"token_type": "bearer"'),
        (json.dumps({"jweToken": SECRET, "errors": []}), '"errors": []'),
        (json.dumps({"username": "u", "password": SECRET}), '"username": "u"'),
        (f"grant_type=refresh_token&refresh_token={SECRET}&client_secret={SECRET}", "grant_type=refresh_token&"),
        (json.dumps({"kind": "Status", "message": f"token {JWT} expired"}), " expired"),
        (f"logged in with {JWT}\nbye\n", "\nbye\n"),
        (json.dumps({"kind": "ConfigMap", "data": {"tls.key": PEM}}), "-----END RSA PRIVATE KEY-----"),
        (PEM, "-----BEGIN RSA PRIVATE KEY-----"),
    ],
)
def test_credentials_outside_of_kubernetes_objects(body: str, left: str) -> None:
    for shown in (None, len(body) - 1):
        masked = Masker().body(body.encode(), "https://h/x", shown).decode()
        assert left in masked and "<masked:1>" in masked
        assert all(word not in masked for word in (SECRET, JWT, "MIIEabc"))
        if body.startswith("{"):
            json.loads(masked)


def test_what_only_sounds_like_a_login_keeps_its_bytes() -> None:
    for value in (
        {"kind": "Pod", "token": "x"}, {"metadata": {"token": "x"}}, {"kind": "ConfigMap", "data": {"password": "x"}}
    ):  # fmt: skip
        body = json.dumps(value).encode()
        assert Masker().body(body) == body


def test_registered_credentials_are_masked_everywhere() -> None:
    masker = Masker()
    masker.register(SECRET, username="admin")
    basic = base64.b64encode(f"admin:{SECRET}".encode()).decode()
    for text in (SECRET, ENCODED, basic):
        assert masker.body(f"see {text}!".encode()).startswith(b"see <masked:")
        assert "<masked:" in masker.header("X-Echo", text)
        assert "<masked:" in masker.url(f"https://h/{text.replace('=', '%3D')}")
    assert masker.header("Authorization", f"Bearer {SECRET}", authorization=False) == "Bearer <masked:1>"


def test_short_registered_credentials_hide_whole_words_only() -> None:
    masker = Masker()
    masker.register("abc")
    masker.register("tiger")
    assert masker.text("abc tigers tiger") == "abc tigers <masked:1>"


def test_unmask_shows_everything() -> None:
    masker = Masker(unmask=True)
    masker.register(SECRET)
    body = json.dumps(secret()).encode()
    assert masker.body(body) == body
    assert masker.header("Authorization", "Bearer x") == "Bearer x"
    assert masker.text(SECRET) == SECRET


def test_bodies_without_secrets_keep_every_byte() -> None:
    body = json.dumps({"kind": "Pod", "spec": {"volumes": [{"secret": {"secretName": "Secret"}}]}, "data": {"a": "b"}})
    assert Masker().body(body.encode()) == body.encode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


@settings(deadline=None)
@given(json_values, st.integers(0, 400), st.booleans())
def test_masking_never_fails_and_never_leaks_a_marked_value(value: object, cut: int, ascii_only: bool) -> None:
    body = json.dumps(
        {"a": value, "data": {"x": ENCODED, "y": [value]}, "kind": "Secret"}, ensure_ascii=ascii_only
    ).encode("utf-8", "surrogatepass")
    masked = Masker().body(body, url=SECRETS_URL)
    assert ENCODED.encode() not in masked
    json.loads(masked)
    assert ENCODED.encode() not in Masker().body(body[:cut], url=SECRETS_URL)


KINDS = ["Secret", "SecretList", "TokenRequest", "TokenReview", "ExecCredential", "Config", "Pod"]
KEYS = [
    *("kind", "op", "path", "value", "items", "metadata", "annotations", "data", "stringData", "status", "spec", "a"),
    *("token", "password", "client-key-data", "clientKeyData", "client-secret", "users", "user", "config", "\u0064ata"),
]
KNOWN = "known-credential"
texts = st.sampled_from([*KINDS, "/data/x", "/stringData", "/spec", "replace", ENCODED, SECRET, "a\\b", KNOWN])
documents = st.recursive(
    texts | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5) | inner.map(json.dumps)
    ),
    max_leaves=15,
)


def escaped(document: object) -> str:
    """JSON that spells keys with escapes."""
    return json.dumps(document).replace('"data"', '"d\\u0061ta"')


def yaml(document: object) -> str:
    from kubetrace.wire.go_yaml import dumps

    return f"{dumps(document)}\n---\n{dumps(document)}"


@settings(deadline=None, max_examples=400)
@example([{"value": SECRET, "a": "a" * 60, "op": "replace", "path": "/data/x"}], json.dumps, None, 40)
@example({"data": {"a": SECRET}, "kind": "Secret"}, json.dumps, None, 25)
@example({"data": {"a": SECRET}, "kind": "Secret"}, escaped, None, 35)
@example({"status": {"token": SECRET}, "kind": "TokenRequest"}, json.dumps, None, 35)
@example({"users": [{"user": {"password": SECRET}}], "kind": "Config"}, yaml, None, 60)
@given(
    documents,
    st.sampled_from([json.dumps, escaped, yaml]),
    st.sampled_from([None, SECRETS_URL, "https://host/api/v1/namespaces/default/pods?limit=500"]),
    st.integers(1, 300),
)
def test_the_part_that_is_shown_is_masked_as_if_all_were(
    document: object, write: object, url: object, shown: int
) -> None:
    body = write(document).encode()  # type: ignore[operator]
    part, whole = Masker(), Masker()
    for masker in (part, whole):
        masker.register(KNOWN)
    assert part.body(body, url, shown)[:shown] == whole.body(body, url)[:shown]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_masking_takes_any_bytes(data: bytes) -> None:
    for start in (b"", b"k8s\x00", b'{"kind":"Secret","data":', b"kind: Secret\ndata:\n"):
        Masker().body(start + data)
        Masker().body(start + data, url=SECRETS_URL)
