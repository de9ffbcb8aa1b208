"""A ResourceClaim's status: what was allocated, for whom (ValidateResourceClaimStatusUpdate)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from kubetrace.playground.validation import scheduling
from kubetrace.playground.validation.causes import (
    Cause,
    Object,
    bad,
    forbidden,
    label_name,
    required,
    subdomain,
    unsupported,
)
from kubetrace.playground.validation.devices import each, opaque_config, request_names, request_reference
from kubetrace.playground.validation.internal import internal
from kubetrace.playground.validation.volumes import driver_name

_MOST_CONSUMERS, _MOST_RESULTS, _MOST_CONFIGS, _MOST_REQUESTS, _MOST_ADDRESSES = 256, 32, 64, 32, 16
_SOURCES = ("FromClaim", "FromClass")
_DEVICE = ("driver", "pool", "device", "shareID")
_UID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def check(old: Object, new: Object) -> list[Cause]:
    status, before = new.get("status") or {}, old.get("status") or {}
    allocation, consumers = status.get("allocation"), status.get("reservedFor") or []
    names = request_names((new.get("spec") or {}).get("devices") or {})
    causes = each(consumers, _MOST_CONSUMERS, "status.reservedFor", _consumer, lambda entry: entry.get("uid", ""))
    results = ((allocation or {}).get("devices") or {}).get("results") or []
    allocated = [_identity(entry) for entry in results]

    def device(entry: Object, at: str) -> list[Cause]:
        return _device_status(entry, at, allocated)

    causes += each(status.get("devices"), _MOST_REQUESTS * 100, "status.devices", device, _identity)
    if consumers and allocation is None:
        why = "may not be specified when `allocated` is not set"
        causes.append(forbidden("status.reservedFor", why))
    elif new["metadata"].get("deletionTimestamp"):
        added = [entry for entry in consumers if entry not in (before.get("reservedFor") or ())]
        if added:
            why = "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set"
            causes.append(forbidden("status.reservedFor", why))
    if allocation is not None and before.get("allocation") is not None:
        if allocation != before["allocation"]:
            shown = internal("resource.AllocationResult", allocation)
            causes.append(bad("status.allocation", shown, "field is immutable"))
    elif allocation is not None:
        causes += _allocation(allocation, "status.allocation", names)
    return causes


def _consumer(entry: Object, at: str) -> list[Cause]:
    return [required(f"{at}.{name}") for name in ("resource", "name", "uid") if not entry.get(name)]


def _identity(entry: Object) -> dict[str, Any]:
    return {name: entry.get(name) for name in _DEVICE}


def _allocation(allocation: Object, at: str, names: dict[str, set[str]]) -> list[Cause]:
    devices = allocation.get("devices") or {}

    def result(entry: Object, where: str) -> list[Cause]:
        causes = request_reference(entry.get("request", ""), f"{where}.request", names)
        causes += _device(entry, where)
        share = entry.get("shareID")
        if share is not None and not re.fullmatch(_UID, share):
            causes.append(bad(f"{where}.shareID", share, f"error validating uid: invalid UUID length: {len(share)}"))
        return causes

    def config(entry: Object, where: str) -> list[Cause]:
        source = entry.get("source", "")
        causes = [] if source in _SOURCES else [unsupported(f"{where}.source", source, _SOURCES)]
        if not source:
            causes = [required(f"{where}.source")]

        def named(name: str, place: str) -> list[Cause]:
            return request_reference(name, place, names)

        causes += each(entry.get("requests"), _MOST_REQUESTS, f"{where}.requests", named, str)
        return causes + opaque_config(entry, where)

    causes = each(devices.get("results"), _MOST_RESULTS, f"{at}.devices.results", result)
    causes += each(devices.get("config"), _MOST_CONFIGS, f"{at}.devices.config", config)
    if allocation.get("nodeSelector") is not None:
        causes += scheduling.node_selector(allocation["nodeSelector"], f"{at}.nodeSelector")
    return causes


def _device(entry: Object, at: str) -> list[Cause]:
    pool, name = entry.get("pool", ""), entry.get("device", "")
    causes = driver_name(f"{at}.driver", entry.get("driver", ""))
    parts = pool.split("/")
    causes += [cause for part in parts for cause in subdomain(f"{at}.pool", part)] if pool else [required(f"{at}.pool")]
    return causes + (label_name(f"{at}.device", name) if name else [required(f"{at}.device")])


def _device_status(entry: Object, at: str, allocated: list[dict[str, Any]]) -> list[Cause]:
    from kubetrace.playground.validation.statuses import conditions

    causes = _device(entry, at)
    if _identity(entry) not in allocated:
        names = {"Driver": "driver", "Pool": "pool", "Device": "device"}
        shown = {title: entry.get(name, "") for title, name in names.items()} | {"ShareID": entry.get("shareID") or ""}
        causes.append(bad(at, shown, "must be an allocated device in the claim"))
    causes += conditions(entry.get("conditions"), f"{at}.conditions")
    network = entry.get("networkData") or {}
    return causes + each(network.get("ips"), _MOST_ADDRESSES, f"{at}.networkData.ips", _interface, str)


def _interface(text: str, at: str) -> list[Cause]:
    """An address with the length of its network's prefix (IsValidInterfaceAddress)."""
    try:
        found = ipaddress.ip_interface(text)
    except ValueError:
        found = None
    if found is None or "/" not in text:
        return [bad(at, text, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")]
    return []
