"""ServiceAccount tokens: JWTs signed with a key of the playground's own (RFC 7515, ES256)."""

from __future__ import annotations

import base64
import datetime
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from kubetrace.playground.credentials import write_private
from kubetrace.playground.objects import new_uid

ISSUER = "https://kubernetes.default.svc.cluster.local"
LEGACY_ISSUER = "kubernetes/serviceaccount"
LEAST_SECONDS = 600
MOST_SECONDS = 1 << 32
DEFAULT_SECONDS = 3600


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Signer:
    """Makes and reads tokens; the key is made on first use and kept in the playground's folder (0600)."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "serviceaccounts.key"
        self._loaded: ec.EllipticCurvePrivateKey | None = None

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        if self._loaded is None:
            if not self._path.exists():
                fresh = ec.generate_private_key(ec.SECP256R1())
                none = serialization.NoEncryption()
                pem = fresh.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, none)
                write_private(self._path, pem)
            key = serialization.load_pem_private_key(self._path.read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self._loaded = key
        return self._loaded

    def public_pem(self) -> bytes:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.PEM, form)

    def _key_id(self) -> str:
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return _pack(hashlib.sha256(self._key.public_key().public_bytes(serialization.Encoding.DER, form)).digest())

    def keys(self) -> dict[str, Any]:
        """The public key as a JWK set (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        key = {"use": "sig", "kty": "EC", "kid": self._key_id(), "crv": "P-256", "alg": "ES256"}
        return {"keys": [key | {"x": _pack(numbers.x.to_bytes(32, "big")), "y": _pack(numbers.y.to_bytes(32, "big"))}]}

    def issue(
        self, account: dict[str, Any], audiences: list[str], seconds: int, bound: dict[str, Any] | None = None
    ) -> tuple[str, str]:
        """(token, RFC 3339 time of its end). `bound`: claims about what the token dies with, {"pod": {name, uid}}."""
        metadata, now = account["metadata"], int(time.time())
        claims = {
            "aud": audiences or [ISSUER],
            "exp": now + seconds,
            "iat": now,
            "iss": ISSUER,
            "jti": new_uid(),
            "kubernetes.io": {
                "namespace": metadata["namespace"],
                "serviceaccount": {"name": metadata["name"], "uid": metadata["uid"]},
            }
            | (bound or {}),
            "nbf": now,
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
        }
        end = datetime.datetime.fromtimestamp(now + seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._sign(claims), end

    def issue_legacy(self, account: dict[str, Any], secret: str) -> str:
        """A token that never ends, for a Secret of that name (pkg/serviceaccount/legacy.go)."""
        metadata, about = account["metadata"], "kubernetes.io/serviceaccount/"
        claims = {
            "iss": LEGACY_ISSUER,
            f"{about}namespace": metadata["namespace"],
            f"{about}secret.name": secret,
            f"{about}service-account.name": metadata["name"],
            f"{about}service-account.uid": metadata["uid"],
            "sub": f"system:serviceaccount:{metadata['namespace']}:{metadata['name']}",
        }
        return self._sign(claims)

    def _sign(self, claims: dict[str, Any]) -> str:
        head = _pack(json.dumps({"alg": "ES256", "kid": self._key_id(), "typ": "JWT"}, separators=(",", ":")).encode())
        signed = f"{head}.{_pack(json.dumps(claims, separators=(',', ':')).encode())}"
        r, s = utils.decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_pack(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def read(self, token: str) -> dict[str, Any] | None:
        """The claims of a token of ours, which may have expired, or None. A Secret's token has others' claims, too."""
        try:
            signed, _, signature = token.rpartition(".")
            raw = _unpack(signature)
            if len(raw) != 64:
                return None
            pair = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
            self._key.public_key().verify(pair, signed.encode(), ec.ECDSA(hashes.SHA256()))
            claims: dict[str, Any] = json.loads(_unpack(signed.partition(".")[2]))
        except (ValueError, InvalidSignature):
            return None
        if claims.get("iss") == LEGACY_ISSUER:
            about = "kubernetes.io/serviceaccount/"
            account = {"name": claims[f"{about}service-account.name"], "uid": claims[f"{about}service-account.uid"]}
            secret = {"name": claims[f"{about}secret.name"]}
            place = claims[f"{about}namespace"]
            claims["kubernetes.io"] = {"namespace": place, "serviceaccount": account, "secret": secret}
            return claims | {"aud": [ISSUER]}
        return claims
