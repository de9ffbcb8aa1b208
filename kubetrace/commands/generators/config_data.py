"""ConfigMaps and Secrets (kubectl pkg/cmd/create: create_configmap.go, create_secret*.go; pkg/util/hash)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from kubetrace.api import names
from kubetrace.api.go_words import quoted
from kubetrace.commands.generators.data_sources import Entry, collect
from kubetrace.commands.generators.metadata import Object, new_object
from kubetrace.errors import KubetraceError
from kubetrace.wire.go_json import dumps, dumps_in_order

DOCKER_CONFIG_KEY = ".dockerconfigjson"
_CONSONANTS = str.maketrans("013ae", "ghkmt")


def config_map(name: str, namespace: str, entries: Iterable[Entry], append_hash: bool) -> Object:
    """A ConfigMap; values that are no UTF-8 go to binaryData. Raises KubetraceError for a bad or repeated key."""

    def check(key: str, known: dict[str, bytes]) -> None:
        if problems := names.config_key(key):
            raise KubetraceError(f"{quoted(key)} is not a valid key name for a ConfigMap: {','.join(problems)}")
        if key in known:
            where = "Data" if _text(known[key]) is not None else "BinaryData"
            raise KubetraceError(
                f"cannot add key {quoted(key)}, another key by that name already exists in {where} for ConfigMap "
                f"{quoted(name)}"
            )

    found = collect(entries, check)
    texts = {key: _text(value) for key, value in found.items()}
    data = {key: text for key, text in sorted(texts.items()) if text is not None}
    binary = {key: _base64(found[key]) for key, text in sorted(texts.items()) if text is None}
    result = {**new_object("v1", "ConfigMap", name, namespace), "data": data, "binaryData": binary}
    if append_hash:
        hashed: dict[str, Any] = {"kind": "ConfigMap", "name": name, "data": data}
        if binary:
            hashed["binaryData"] = binary
        result["metadata"]["name"] = f"{name}-{_hash(hashed)}"
    return result


def secret(name: str, namespace: str, kind: str, entries: Iterable[Entry], append_hash: bool) -> Object:
    """A Secret of the type `kind`. Raises KubetraceError for a bad or repeated key."""

    def check(key: str, known: dict[str, bytes]) -> None:
        if problems := names.config_key(key):
            raise KubetraceError(f"{quoted(key)} is not valid key name for a Secret {';'.join(problems)}")
        if key in known:
            raise KubetraceError(f"cannot add key {key}, another key by that name already exists")

    found = collect(entries, check)
    data = {key: _base64(value) for key, value in sorted(found.items())}
    result = {**new_object("v1", "Secret", name, namespace), "data": data, "type": kind}
    if append_hash:
        hashed = {"kind": "Secret", "type": kind, "name": name, "data": data}
        result["metadata"]["name"] = f"{name}-{_hash(hashed)}"
    return result


def docker_config(server: str, username: str, password: str, email: str) -> bytes:
    """What ~/.docker/config.json would say about one registry."""
    entry = {
        "username": username,
        "password": password,
        "email": email,
        "auth": _base64(f"{username}:{password}".encode("utf-8", "surrogateescape")),
    }
    return dumps_in_order({"auths": {server: {key: value for key, value in entry.items() if value}}})


def _text(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _hash(value: dict[str, Any]) -> str:
    """The start of the JSON's SHA-256, in letters that make no words (hash.encodeHash)."""
    return hashlib.sha256(dumps(value)).hexdigest()[:10].translate(_CONSONANTS)
