"""`kubectl certificate approve` leads somewhere: the playground's authority signs, and its server knows the signed."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.playground.conftest import Client

_PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"


def _asked(
    client: Client,
    name: str,
    usages: list[str],
    group: str = "dev",
    user: str = "jane",
    signer: str = "kube-apiserver-client",
    host: str = "",
) -> tuple[ec.EllipticCurvePrivateKey, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, user), x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if host:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
    text = base64.b64encode(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)).decode()
    spec = {"request": text, "signerName": f"kubernetes.io/{signer}", "usages": usages}
    return key, client.call("POST", _PATH, {"metadata": {"name": name}, "spec": spec})


def _approve(client: Client, name: str, settled: str) -> Any:
    """The status once it has `settled` (a certificate, or a condition of that type)."""
    item = client.call("GET", f"{_PATH}/{name}")[1]
    item["status"] = {"conditions": [{"type": "Approved", "status": "True", "reason": "R", "message": "m"}]}
    assert client.call("PUT", f"{_PATH}/{name}/approval", item)[0] == 200
    end = time.monotonic() + 10
    while time.monotonic() < end:
        status = client.call("GET", f"{_PATH}/{name}")[1]["status"]
        if settled in status or settled in [entry["type"] for entry in status["conditions"]]:
            return status
        time.sleep(0.05)
    raise AssertionError(f"{name} was never settled: {status}")


def test_an_approved_request_is_signed_and_the_certificate_is_somebody(client: Client, tmp_path: Path) -> None:
    key, (code, _) = _asked(client, "jane", ["client auth", "digital signature"])
    assert code == 201
    pem = base64.b64decode(_approve(client, "jane", "certificate")["certificate"])
    (tmp_path / "jane.crt").write_bytes(pem)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (tmp_path / "jane.key").write_bytes(key.private_bytes(*form))
    tls = ssl._create_unverified_context()
    tls.load_cert_chain(tmp_path / "jane.crt", tmp_path / "jane.key")
    connection = http.client.HTTPSConnection("127.0.0.1", client.port, context=tls)
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    path = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.token}"}  # the certificate counts
    connection.request("POST", path, json.dumps(review), headers)
    user = json.loads(connection.getresponse().read())["status"]["userInfo"]
    connection.close()
    assert (user["username"], user["groups"]) == ("jane", ["dev", "system:authenticated"])
    made = x509.load_pem_x509_certificate(pem)
    assert user["extra"] == {
        "authentication.kubernetes.io/credential-id": [f"X509SHA256={made.fingerprint(hashes.SHA256()).hex()}"]
    }
    assert [part.oid for part in made.subject] == [NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME]  # as Go writes it


def test_a_request_for_other_usages_fails(client: Client) -> None:
    _asked(client, "server", ["server auth"])
    failed = _approve(client, "server", "Failed")["conditions"][-1]
    assert failed["reason"] == "SignerValidationFailure"
    assert failed["message"] == "invalid usage for client certificate: server auth"


@pytest.mark.parametrize(
    ("signer", "purpose", "host", "why"),
    [
        ("kubelet-serving", "server auth", "node-9", ""),
        ("kubelet-serving", "server auth", "", "DNS or IP subjectAltName is required"),
        ("kubelet-serving", "client auth", "node-9", "usages did not match [digital signature server auth]"),
        ("kube-apiserver-client-kubelet", "client auth", "", ""),
        ("kube-apiserver-client-kubelet", "client auth", "node-9", "DNS subjectAltNames are not allowed"),
    ],
)
def test_a_node_gets_the_certificates_of_a_node(client: Client, signer: str, purpose: str, host: str, why: str) -> None:
    name = f"{signer}-{purpose.partition(' ')[0]}-{host or 'nameless'}"
    wanted = ["digital signature", purpose]
    _asked(client, name, wanted, "system:nodes", "system:node:node-9", signer, host)
    status = _approve(client, name, "Failed" if why else "certificate")
    if why:
        assert status["conditions"][-1]["message"] == why
        return
    certificate = x509.load_pem_x509_certificate(base64.b64decode(status["certificate"]))
    names = [each.value for each in certificate.extensions if isinstance(each.value, x509.SubjectAlternativeName)]
    assert [each.get_values_for_type(x509.DNSName) for each in names] == ([[host]] if host else [])


def test_nobody_asks_to_be_almighty(client: Client) -> None:
    _, (code, answer) = _asked(client, "master", ["client auth"], group="system:masters")
    assert code == 403
    assert answer["message"].endswith("signer with system:masters group is not allowed")
