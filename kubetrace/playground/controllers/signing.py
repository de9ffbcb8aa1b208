"""Certificates for approved CertificateSigningRequests (pkg/controller/certificates/signer)."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kubetrace.playground.controllers.base import Controller
from kubetrace.playground.objects import Object, now
from kubetrace.playground.verbs import Verbs

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

KEY = "certificatesigningrequests.certificates.k8s.io"
_DOMAIN = "kubernetes.io/"
_YEAR = 365 * 24 * 3600
_BACKDATED = datetime.timedelta(minutes=5)
_CLIENT, _SERVING = "client auth", "server auth"
_KEY_EXCHANGE = frozenset(("digital signature", "key encipherment"))

_KEY_USAGES = {
    "digital signature": "digital_signature",
    "signing": "digital_signature",
    "content commitment": "content_commitment",
    "key encipherment": "key_encipherment",
    "key agreement": "key_agreement",
    "data encipherment": "data_encipherment",
    "cert sign": "key_cert_sign",
    "crl sign": "crl_sign",
}
_PURPOSES = {
    "server auth": "SERVER_AUTH",
    "client auth": "CLIENT_AUTH",
    "code signing": "CODE_SIGNING",
    "email protection": "EMAIL_PROTECTION",
    "s/mime": "EMAIL_PROTECTION",
    "timestamping": "TIME_STAMPING",
    "ocsp signing": "OCSP_SIGNING",
    "any": "ANY_EXTENDED_KEY_USAGE",
}


class Signer(Controller):
    """Signs with the playground's own authority, which the server trusts for client certificates."""

    component = "certificate-controller"

    def __init__(self, verbs: Verbs, folder: Path) -> None:
        """`folder` holds ca.crt and ca.key."""
        super().__init__(verbs)
        self._folder = folder

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(KEY, namespace, name)
        check = _SIGNERS.get(item["spec"].get("signerName", "").removeprefix(_DOMAIN)) if item else None
        if item is None or check is None or not self._is_due(item.get("status") or {}):
            return None
        from cryptography import x509

        request = x509.load_pem_x509_csr(base64.b64decode(item["spec"]["request"]))
        status = item.get("status") or {}
        why = check(request, frozenset(item["spec"].get("usages") or ()))
        if why:
            failed = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": why}
            failed |= {"lastUpdateTime": now(), "lastTransitionTime": now()}
            self.put_status(KEY, item, status | {"conditions": [*(status.get("conditions") or ()), failed]})
        else:
            certificate = base64.b64encode(self._sign(request, item["spec"])).decode()
            self.put_status(KEY, item, status | {"certificate": certificate})
        return None

    def _is_due(self, status: Object) -> bool:
        kinds = {entry["type"] for entry in status.get("conditions") or ()}
        settled = status.get("certificate") or kinds & {"Denied", "Failed"}
        return "Approved" in kinds and not settled and (self._folder / "ca.key").exists()

    def _sign(self, request: x509.CertificateSigningRequest, spec: Object) -> bytes:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        authority = x509.load_pem_x509_certificate((self._folder / "ca.crt").read_bytes())
        key = serialization.load_pem_private_key((self._folder / "ca.key").read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        start = datetime.datetime.now(datetime.UTC) - _BACKDATED
        seconds = min(max(int(spec.get("expirationSeconds") or _YEAR), 600), _YEAR)
        end = min(start + _BACKDATED + datetime.timedelta(seconds=seconds), authority.not_valid_after_utc)
        builder = x509.CertificateBuilder().subject_name(_ordered(request.subject)).issuer_name(authority.subject)
        builder = builder.public_key(request.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(end)
        for extension, critical in _extensions(request, spec.get("usages") or [], key):
            builder = builder.add_extension(extension, critical)
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _extensions(
    request: x509.CertificateSigningRequest, usages: list[str], key: ec.EllipticCurvePrivateKey
) -> list[tuple[x509.ExtensionType, bool]]:
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    wanted = {_KEY_USAGES[usage]: True for usage in usages if usage in _KEY_USAGES}
    names = (*dict.fromkeys(_KEY_USAGES.values()), "encipher_only", "decipher_only")
    found: list[tuple[x509.ExtensionType, bool]] = [(x509.BasicConstraints(ca=False, path_length=None), True)]
    if wanted:
        found.append((x509.KeyUsage(**{name: wanted.get(name, False) for name in names}), True))
    purposes = list(dict.fromkeys(_PURPOSES[usage] for usage in usages if usage in _PURPOSES))
    if purposes:
        found.append((x509.ExtendedKeyUsage([getattr(ExtendedKeyUsageOID, name) for name in purposes]), False))
    found.append((x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False))
    asked = _names_asked(request)
    return found if asked is None else [*found, (asked.value, asked.critical)]


def _names_asked(
    request: x509.CertificateSigningRequest,
) -> x509.Extension[x509.SubjectAlternativeName] | None:
    from cryptography import x509

    try:
        return request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return None


def _client(request: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    """Why the signer of clients' certificates refuses, "" where it does not (validAPIServerClientUsages)."""
    others = sorted(usages - _KEY_EXCHANGE - {_CLIENT})
    if others:
        return f"invalid usage for client certificate: {others[0]}"
    return "" if _CLIENT in usages else f"missing required usage for client certificate: {_CLIENT}"


def _kubelet_usages(usages: frozenset[str], purpose: str) -> str:
    wanted = {"digital signature", purpose}
    if usages in (wanted, wanted | {"key encipherment"}):
        return ""
    return f"usages did not match [{' '.join(sorted(wanted))}]"


_SUBJECT_ORDER = ("COUNTRY", "ORGANIZATION", "ORGANIZATIONAL_UNIT", "LOCALITY", "STATE_OR_PROVINCE", "COMMON")


def _ordered(subject: x509.Name) -> x509.Name:
    """A subject as Go writes it (pkix.Name.ToRDNSequence)."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    kinds = [getattr(NameOID, f"{name}_NAME") for name in _SUBJECT_ORDER]
    return x509.Name([part for kind in kinds for part in subject.get_attributes_for_oid(kind)])


def _subject(request: x509.CertificateSigningRequest) -> tuple[list[str], str]:
    from cryptography.x509.oid import NameOID

    groups = [str(part.value) for part in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return groups, str(names[0].value) if names else ""


def _of_node(request: x509.CertificateSigningRequest) -> str:
    groups, name = _subject(request)
    if groups != ["system:nodes"]:
        return "subject organization is not system:nodes"
    return "" if name.startswith("system:node:") else "subject common name does not begin with system:node:"


def _kubelet_client(request: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    if why := _of_node(request):
        return why
    if _names_asked(request) is not None:
        return "DNS subjectAltNames are not allowed"
    return _kubelet_usages(usages, _CLIENT)


def _kubelet_serving(request: x509.CertificateSigningRequest, usages: frozenset[str]) -> str:
    if why := _of_node(request):
        return why
    if _names_asked(request) is None:
        return "DNS or IP subjectAltName is required"
    return _kubelet_usages(usages, _SERVING)


_SIGNERS: dict[str, Callable[[x509.CertificateSigningRequest, frozenset[str]], str]] = {
    "kube-apiserver-client": _client,
    "kube-apiserver-client-kubelet": _kubelet_client,
    "kubelet-serving": _kubelet_serving,
    "legacy-unknown": lambda request, usages: "",
}
