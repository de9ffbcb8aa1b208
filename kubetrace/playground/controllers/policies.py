"""ValidatingAdmissionPolicies are noted as seen (pkg/controller/validatingadmissionpolicystatus). Their expressions are
not run here, which their writers are told, and so nothing is found in them."""

from __future__ import annotations

from kubetrace.playground.controllers.base import Controller

KEY = "validatingadmissionpolicies.admissionregistration.k8s.io"


class Policies(Controller):
    component = "validatingadmissionpolicy-status"

    def reconcile(self, _: str, name: str) -> float | None:
        item = self.read(KEY, "", name)
        if item is not None:
            seen = {"observedGeneration": item["metadata"].get("generation", 0), "typeChecking": {}}
            self.apply_status(KEY, item, seen, self.component)
        return None
