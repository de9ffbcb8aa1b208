"""Secrets that hold a ServiceAccount's token (pkg/controller/serviceaccount/tokens_controller.go)."""

from __future__ import annotations

import base64

from kubetrace.playground.controllers.base import Controller

SECRETS, ACCOUNTS = "secrets", "serviceaccounts"
_NAME, _UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
_TYPE = "kubernetes.io/service-account-token"


class Tokens(Controller):
    component = "serviceaccount-token-controller"

    def concerned(self, namespace: str, account: str) -> list[str]:
        """Names of the Secrets of an account."""
        found = (item for item in self.store.select(SECRETS, namespace) if item.get("type") == _TYPE)
        return [
            item["metadata"]["name"]
            for item in found
            if (item["metadata"].get("annotations") or {}).get(_NAME) == account
        ]

    def reconcile(self, namespace: str, name: str) -> float | None:
        item = self.read(SECRETS, namespace, name)
        if item is None or item.get("type") != _TYPE:
            return None
        metadata = item["metadata"]
        annotations = metadata.get("annotations") or {}
        account = self.read(ACCOUNTS, namespace, annotations.get(_NAME, ""))
        if account is None or annotations.get(_UID, account["metadata"]["uid"]) != account["metadata"]["uid"]:
            self.delete(SECRETS, item)
            return None
        signer, data = self.verbs.signer, dict(item.get("data") or {})
        if signer is None:
            return None
        wanted = {"ca.crt": self.store.fact("ca") or "", "namespace": namespace}
        wanted |= {} if data.get("token") else {"token": signer.issue_legacy(account, name)}
        data |= {key: base64.b64encode(text.encode()).decode() for key, text in wanted.items()}
        marked = annotations | {_UID: account["metadata"]["uid"]}
        if data != item.get("data") or marked != annotations:
            self.store.put(SECRETS, item | {"metadata": metadata | {"annotations": marked}, "data": data})
        return None
