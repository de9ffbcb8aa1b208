"""The playground's keys: an own CA, a server certificate, users' certificates and tokens, and the kubeconfig.

Made once for a playground and kept in its folder (0600), so that `up` is quick and kubeconfigs stay valid.
"""

from __future__ import annotations

import base64
import datetime
import json
import os
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path

from kubetrace.errors import KubetraceError
from kubetrace.serving.authority import Authority

_YEARS = datetime.timedelta(days=3650)
_HOSTS = ("localhost", "kubernetes", "kubernetes.default", "127.0.0.1", "10.96.0.1")


@dataclass(frozen=True)
class Person:
    """Somebody in the kubeconfig: a user with groups, known by a token or by a certificate."""

    context: str
    user: str
    groups: tuple[str, ...]
    certificate: bool = False


PEOPLE = (
    Person("admin", "kubernetes-admin", ("system:masters",)),
    Person("certificate", "certificate-admin", ("system:masters",), certificate=True),
    Person("developer", "developer", ("developers",)),
    Person("viewer", "viewer", ("viewers",)),
    Person("nobody", "nobody", ("nobodies",)),
)


def write_private(path: Path, data: bytes) -> None:
    """Writes a file of mode 0600 in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    temporary.replace(path)


def prepare(folder: Path) -> None:
    """Makes all keys of a new playground; what is there stays. Raises KubetraceError where that can't be read."""
    if (folder / "users.json").exists():
        _check(folder)
        return
    authority = Authority("kubetrace-playground-ca", _YEARS)
    certificate, key = authority.issue("kubetrace-playground", hosts=_HOSTS)
    write_private(folder / "ca.crt", authority.pem)
    write_private(folder / "ca.key", authority.key_pem())
    write_private(folder / "server.crt", certificate)
    write_private(folder / "server.key", key)
    users = []
    for person in PEOPLE:
        user: dict[str, object] = {"context": person.context, "user": person.user, "groups": person.groups}
        if person.certificate:
            pair = authority.issue(person.user, person.groups)
            user |= {"certificate": pair[0].decode(), "key": pair[1].decode()}
        else:
            user["token"] = secrets.token_hex(24)
        users.append(user)
    write_private(folder / "users.json", json.dumps(users).encode())


def _check(folder: Path) -> None:
    name = "users.json"
    try:
        tokens(folder)
        name = "server.crt and server.key"
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(folder / "server.crt", folder / "server.key")
    except (ValueError, KeyError, TypeError, OSError) as error:
        told = f"the playground's {name} in {folder} cannot be read: {error}"
        raise KubetraceError(f"{told} (without users.json all keys are made anew)") from None


def tokens(folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """token → (user, groups)."""
    users = json.loads((folder / "users.json").read_text())
    return {user["token"]: (user["user"], tuple(user["groups"])) for user in users if "token" in user}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write_kubeconfig(folder: Path, name: str, port: int, file: str = "kubeconfig") -> Path:
    """The playground's kubeconfig (YAML): a context for each person, `admin` current."""
    users = json.loads((folder / "users.json").read_text())
    cluster = f"playground-{name}" if name != "default" else "playground"
    authority = _base64((folder / "ca.crt").read_text())
    lines = ["apiVersion: v1", "kind: Config", "preferences: {}", "current-context: admin", "clusters:"]
    lines += [f"- name: {cluster}", "  cluster:", f"    server: https://127.0.0.1:{port}"]
    lines += [f"    certificate-authority-data: {authority}", "users:"]
    for user in users:
        lines += [f"- name: {user['context']}", "  user:"]
        if "token" in user:
            lines.append(f"    token: {user['token']}")
        else:
            lines.append(f"    client-certificate-data: {_base64(user['certificate'])}")
            lines.append(f"    client-key-data: {_base64(user['key'])}")
    lines.append("contexts:")
    for user in users:
        lines += [f"- name: {user['context']}", "  context:", f"    cluster: {cluster}", f"    user: {user['context']}"]
        lines.append("    namespace: default")
    path = folder / file
    write_private(path, ("\n".join(lines) + "\n").encode())
    return path
