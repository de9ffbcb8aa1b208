"""Ports of the nodes, as Services are given them (pkg/registry/core/service/storage/alloc.go)."""

from __future__ import annotations

import secrets
from typing import Any

from kubetrace.playground.status import ApiError, invalid
from kubetrace.playground.storage import Store

_FIRST, _LAST = 30000, 32767
_TAKEN = "provided port is already allocated"
_OUTSIDE = f"provided port is not in the valid range. The range of valid ports is {_FIRST}-{_LAST}"

Service = dict[str, Any]


def reaches(spec: Service) -> bool:
    """Whether it is given ports without asking for them."""
    balances = spec.get("type") == "LoadBalancer"
    return spec.get("type") == "NodePort" or (balances and spec.get("allocateLoadBalancerNodePorts") is not False)


def needs_check(spec: Service) -> bool:
    """Whether a load balancer asks each node for its health."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def keep(before: Service, spec: Service) -> None:
    """The ports that an update leaves out stay (patchAllocatedValues)."""
    if reaches(before) and reaches(spec):
        known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or ()}
        used = {port.get("nodePort") for port in spec.get("ports") or ()} & set(known.values())
        for port in spec.get("ports") or ():
            number = known.get(port.get("name", ""))
            if not port.get("nodePort") and number and number not in used:
                port["nodePort"] = number
    check = "healthCheckNodePort"
    if needs_check(before) and needs_check(spec) and not spec.get(check) and before.get(check):
        spec[check] = before[check]


def allocate(store: Store, item: Service, dry_run: bool) -> None:
    """Gives a new Service its ports. Raises 422 for one that another has, or that no node has: a dry run only looks at
    the former."""
    spec, taken = item["spec"], _Taken(store, dry_run)
    ports = spec.get("ports") or []
    given: dict[int, int] = {}
    for index, port in enumerate(ports if spec.get("type") in ("NodePort", "LoadBalancer") else ()):
        wanted, number = port.get("nodePort"), port["port"]
        if not wanted and not reaches(spec):
            continue
        if number not in given:  # one number for the protocols of a port
            asked = next((each["nodePort"] for each in ports if each["port"] == number and each.get("nodePort")), 0)
            given[number] = port["nodePort"] = _take(item, index, asked, taken)
        elif not wanted:
            port["nodePort"] = given[number]
        elif wanted != given[number]:
            _take(item, index, wanted, taken)
    if needs_check(spec):
        _take_check(spec, taken)


def reallocate(store: Store, old: Service, item: Service, dry_run: bool) -> None:
    """Gives an updated Service the ports that it needs now."""
    before, spec, taken = old["spec"], item["spec"], _Taken(store, dry_run)
    own = {port.get("nodePort") for port in before.get("ports") or ()}
    for index, port in enumerate(spec.get("ports") or () if spec.get("type") in ("NodePort", "LoadBalancer") else ()):
        wanted = port.get("nodePort")
        if not wanted and reaches(spec):
            port["nodePort"] = _take(item, index, 0, taken)
        elif wanted and wanted not in own:
            own.add(_take(item, index, wanted, taken))
    if needs_check(spec) and not needs_check(before):
        _take_check(spec, taken)


class _Taken:
    """The ports that Services have."""

    def __init__(self, store: Store, dry_run: bool) -> None:
        specs = [service["spec"] for service in store.select("services")]
        found = {port.get("nodePort") for spec in specs for port in spec.get("ports") or ()}
        self._numbers = found | {spec.get("healthCheckNodePort") for spec in specs}
        self._first, self._last = (1, 65535) if dry_run else (_FIRST, _LAST)

    def reserve(self, wanted: int) -> int:
        """One that is wanted, or any. Raises ValueError where it is not to be had."""
        if wanted and wanted in self._numbers:
            raise ValueError(_TAKEN)
        if wanted and not self._first <= wanted <= self._last:
            raise ValueError(_OUTSIDE)
        while not wanted or wanted in self._numbers:
            wanted = _FIRST + secrets.randbelow(_LAST - _FIRST + 1)
        self._numbers.add(wanted)
        return wanted


def _take(item: Service, index: int, wanted: int, taken: _Taken) -> int:
    try:
        return taken.reserve(wanted)
    except ValueError as error:
        cause = (f"spec.ports[{index}].nodePort", "FieldValueInvalid", f"Invalid value: {wanted}: {error}")
        raise invalid("Service", "", item["metadata"]["name"], [cause]) from None


def _take_check(spec: Service, taken: _Taken) -> None:
    wanted = spec.get("healthCheckNodePort") or 0
    try:
        spec["healthCheckNodePort"] = taken.reserve(wanted)
    except ValueError as error:
        told = f"failed to allocate requested HealthCheck NodePort {wanted}: {error}"
        raise ApiError(500, f"Internal error occurred: {told}", details={"causes": [{"message": told}]}) from None
