"""Config maps, secrets, and who may do what: service accounts, roles, bindings, signing requests."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from kubetrace.api.labels import format_labels
from kubetrace.api.related import Related
from kubetrace.errors import KubetraceError
from kubetrace.printing.describe.events import describe_events
from kubetrace.printing.describe.writer import Writer, date, go_value
from kubetrace.printing.durations import human_duration
from kubetrace.printing.policy_rules import compact_rules, resource_of

Object = Mapping[str, Any]


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(str(text))
    except binascii.Error:
        return b""


def config_map(w: Writer, value: Object, related: Related) -> None:
    w.head(value)
    w.line("")
    w.line("Data")
    w.line("====")
    for key, text in sorted((value.get("data") or {}).items()):
        w.line(f"{key}:")
        w.line("----")
        w.line(text)
        w.line("")
    w.line("")
    w.line("BinaryData")
    w.line("====")
    for key, text in sorted((value.get("binaryData") or {}).items()):
        w.line(f"{key}: {len(_decoded(text))} bytes")
    w.line("")
    describe_events(w, related.events(value))


def secret(w: Writer, value: Object, related: Related) -> None:
    w.head(value)
    kind = value.get("type") or ""
    w.line("")
    w.row("Type", kind)
    w.line("")
    w.line("Data")
    w.line("====")
    for key, text in sorted((value.get("data") or {}).items()):
        data = _decoded(text)
        if key == "token" and kind == "kubernetes.io/service-account-token":
            w.row(key, data.decode("utf-8", "replace"))
        else:
            w.row(key, f"{len(data)} bytes")


def service_account(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    w.head(value)
    title = "Image pull secrets:"
    names = [str(one.get("name", "")) for one in value.get("imagePullSecrets") or ()]
    for number, name in enumerate(names or ["<none>"]):
        w.line(f"{' ' * len(title) if number else title}\t{name}")
    describe_events(w, events)


def role(w: Writer, value: Object, related: Related) -> None:
    """Roles of both scopes."""
    w.head(value, namespace=False)
    w.line("PolicyRule:")
    rows = [
        (
            resource_of(rule),
            go_value(rule.get("nonResourceURLs") or []),
            go_value(rule.get("resourceNames") or []),
            go_value(rule.get("verbs") or []),
        )
        for rule in compact_rules(value.get("rules") or ())
    ]
    w.table(("Resources", "Non-Resource URLs", "Resource Names", "Verbs"), rows)


def role_binding(w: Writer, value: Object, related: Related) -> None:
    """Bindings of both scopes."""
    reference = value.get("roleRef") or {}
    w.head(value, namespace=False)
    w.line("Role:")
    w.row("Kind", reference.get("kind"), 1)
    w.row("Name", reference.get("name"), 1)
    w.line("Subjects:")
    rows = [
        [str(subject.get(field) or "") for field in ("kind", "name", "namespace")]
        for subject in value.get("subjects") or ()
    ]
    w.table(("Kind", "Name", "Namespace"), rows)


def signing_request(w: Writer, value: Object, related: Related) -> None:
    events = related.events(value)
    metadata, spec = value.get("metadata") or {}, value.get("spec") or {}
    request = _parsed(_decoded(spec.get("request")))
    w.row("Name", metadata.get("name"))
    w.row("Labels", format_labels(metadata.get("labels")))
    w.row("Annotations", format_labels(metadata.get("annotations")))
    w.row("CreationTimestamp", date(metadata.get("creationTimestamp")))
    w.row("Requesting User", spec.get("username"))
    if spec.get("signerName"):
        w.row("Signer", spec["signerName"])
    if spec.get("expirationSeconds") is not None:
        w.row("Requested Duration", human_duration(spec["expirationSeconds"]))
    w.row("Status", signing_status(value.get("status") or {}))
    w.line("Subject:")
    for label, texts in request.subject.items():
        if label in ("Common Name", "Serial Number"):
            w.line(f"\t{label}:\t{texts[-1] if texts else ''}")
        else:
            _listed(w, label, texts)
    if any(request.alternatives.values()):
        w.line("Subject Alternative Names:")
        for label, texts in request.alternatives.items():
            _listed(w, label, texts)
    describe_events(w, events)


def _listed(w: Writer, label: str, texts: Sequence[str]) -> None:
    if texts:
        w.line(f"\t{label}:\t" + "\n\t\t".join(texts))


def signing_status(status: Object) -> str:
    """Pending, Approved or Denied, and what came of it (extractCSRStatus)."""
    kinds = {condition.get("type") for condition in status.get("conditions") or ()}
    text = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    return text + (",Failed" if "Failed" in kinds else "") + (",Issued" if status.get("certificate") else "")


class _SigningRequest:
    """What a PKCS #10 request says, under the headings of its description."""

    def __init__(self, subject: dict[str, list[str]], alternatives: dict[str, list[str]]) -> None:
        self.subject = subject
        self.alternatives = alternatives


def _parsed(pem: bytes) -> _SigningRequest:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    if b"-----BEGIN CERTIFICATE REQUEST-----" not in pem:
        raise KubetraceError("Error parsing CSR: PEM block type must be CERTIFICATE REQUEST")
    try:
        found = x509.load_pem_x509_csr(pem)
    except ValueError as error:
        raise KubetraceError(f"Error parsing CSR: {error}") from None
    headings = (
        ("Common Name", NameOID.COMMON_NAME), ("Serial Number", NameOID.SERIAL_NUMBER),
        ("Organization", NameOID.ORGANIZATION_NAME), ("Organizational Unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
        ("Country", NameOID.COUNTRY_NAME), ("Locality", NameOID.LOCALITY_NAME),
        ("Province", NameOID.STATE_OR_PROVINCE_NAME), ("StreetAddress", NameOID.STREET_ADDRESS),
        ("PostalCode", NameOID.POSTAL_CODE),
    )  # fmt: skip
    subject = {label: [str(one.value) for one in found.subject.get_attributes_for_oid(oid)] for label, oid in headings}
    alternatives: dict[str, list[str]] = {"DNS Names": [], "Email Addresses": [], "URIs": [], "IP Addresses": []}
    kinds: dict[type, str] = {x509.DNSName: "DNS Names", x509.RFC822Name: "Email Addresses"}
    kinds |= {x509.UniformResourceIdentifier: "URIs", x509.IPAddress: "IP Addresses"}
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return _SigningRequest(subject, alternatives)
    for name in names:
        if type(name) in kinds:
            alternatives[kinds[type(name)]].append(str(name.value))
    return _SigningRequest(subject, alternatives)
