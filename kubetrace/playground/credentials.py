"""The playground's keys: an own CA, a server certificate, users' certificates and tokens, and the kubeconfig.

Made once for a playground and kept in its folder (0600), so that `up` is quick and kubeconfigs stay valid.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_YEARS = datetime.timedelta(days=3650)


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


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(user: str, groups: tuple[str, ...] = ()) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, user)])


class Authority:
    """A fresh certificate authority."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = _name("kubetrace-playground-ca")
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (_usage(sign_certificates=True), True),
            (x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), False),
        ]
        self._certificate = self._sign(self._key, self._subject, extensions)
        self.pem = self._certificate.public_bytes(serialization.Encoding.PEM)

    def _sign(
        self, key: ec.EllipticCurvePrivateKey, subject: x509.Name, extensions: list[tuple[x509.ExtensionType, bool]]
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject)
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + _YEARS)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self._key, hashes.SHA256())

    def issue(self, user: str, groups: tuple[str, ...] = (), server: bool = False) -> tuple[bytes, bytes]:
        """(certificate, key) as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_usage(sign_certificates=False), True),
            (x509.ExtendedKeyUsage([purpose]), False),
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False),
        ]
        if server:
            names: list[x509.GeneralName] = [
                x509.DNSName(name) for name in ("localhost", "kubernetes", "kubernetes.default")
            ]
            names += [x509.IPAddress(ipaddress.ip_address(ip)) for ip in ("127.0.0.1", "10.96.0.1")]
            extensions.append((x509.SubjectAlternativeName(names), False))
        certificate = self._sign(key, _name(user, groups), extensions)
        return certificate.public_bytes(serialization.Encoding.PEM), _pem(key)


def _usage(sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def prepare(folder: Path) -> None:
    """Makes all keys of a new playground; what is there stays."""
    if (folder / "users.json").exists():
        return
    authority = Authority()
    certificate, key = authority.issue("kubetrace-playground", server=True)
    write_private(folder / "ca.crt", authority.pem)
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


def tokens(folder: Path) -> dict[str, tuple[str, tuple[str, ...]]]:
    """token → (user, groups)."""
    users = json.loads((folder / "users.json").read_text())
    return {user["token"]: (user["user"], tuple(user["groups"])) for user in users if "token" in user}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def write_kubeconfig(folder: Path, name: str, port: int) -> Path:
    """The playground's kubeconfig (JSON, which is YAML): a context for each person, `admin` current."""
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
    path = folder / "kubeconfig"
    write_private(path, ("\n".join(lines) + "\n").encode())
    return path
