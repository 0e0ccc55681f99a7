"""An entry of the log as an event of OCSF 1.8.0, for a SIEM. Pure.

    event(index, entry, says) -> dict       one event; `entry` is the signed JSON, read

Sign-ins are Authentication (3002), changes of people, memberships and the tenant Entity Management (3004), everything
else API Activity (6003). Actors are pseudonyms; what is sealed stays out; what OCSF has no place for is `unmapped`.
Source: https://schema.ocsf.io/1.8.0, classes 3002, 3004 and 6003.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

VERSION = "1.8.0"
PRODUCT = {"name": "Governance Console", "vendor_name": "Governance Console"}
SYSTEM = "0" * 32  # the pseudonym of nobody
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
INFORMATIONAL = 1
SUCCESS, FAILURE, OTHER = 1, 2, 99
OUTCOMES = {"done": (SUCCESS, "Success"), "refused": (FAILURE, "Failure"), "failed": (FAILURE, "Failure")}
AUTHENTICATION, ENTITY_MANAGEMENT, API_ACTIVITY = 3002, 3004, 6003
SIGN_INS = {"session.started": 1, "session.refused": 1, "session.ended": 2}  # Logon, Logoff
ENTITIES = ("membership.", "person.", "tenant.founded", "tenant.settings", "tenant.domains")
CREATE, READ, UPDATE, DELETE = 1, 2, 3, 4
VERBS = {
    CREATE: "adopted asked begun created founded imported made placed registered requested saved sent started",
    READ: "downloaded viewed seen tested unmasked",
    UPDATE: "accepted approved assigned changed commented concluded linked mapped off refused rejected released replaced reset restored returned rotated set",
    DELETE: "cancelled closed destroyed done ended erased expired removed retired revoked shredded unlinked unmapped withdrawn",
}
ACTIVITY = {verb: activity for activity, verbs in VERBS.items() for verb in verbs.split()}


def event(index: int, entry: Mapping[str, Any], says: str) -> dict[str, Any]:
    """The event of the entry at that place; `says` is what the action means, in words."""
    class_uid, activity, more = _classified(entry)
    status, status_name = OUTCOMES.get(entry["outcome"], (OTHER, entry["outcome"]))
    return {
        "category_uid": class_uid // 1000, "class_uid": class_uid, "activity_id": activity, "type_uid": class_uid * 100 + activity,
        "severity_id": INFORMATIONAL, "status_id": status, "status": status_name, "time": _milliseconds(entry["at"]), "message": says,
        "metadata": _metadata(index, entry), "actor": _actor(entry), "src_endpoint": _from(entry["origin"]), **more,
        "unmapped": _unmapped(index, entry),
    } | ({"activity_name": entry["action"]} if activity == OTHER else {})  # fmt: skip


def _classified(entry: Mapping[str, Any]) -> tuple[int, int, dict[str, Any]]:
    """(class, activity, the fields that only this class has)."""
    action, (kind, target) = entry["action"], entry["target"]
    if action in SIGN_INS:
        return AUTHENTICATION, SIGN_INS[action], {"user": {"uid": entry["actor"]}, "service": {"name": PRODUCT["name"]}}
    activity = ACTIVITY.get(action.rpartition(".")[2].rpartition("_")[2], OTHER)
    if action.startswith(ENTITIES):
        return ENTITY_MANAGEMENT, activity, {"entity": {"uid": target, "type": kind}}
    api: dict[str, Any] = {"operation": action}
    if entry["request_id"]:
        api["request"] = {"uid": entry["request_id"]}
    return API_ACTIVITY, activity, {"api": api, "resources": [{"uid": target, "type": kind}]}


def _milliseconds(at: str) -> int:
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(milliseconds=1)


def _metadata(index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION, "product": PRODUCT, "uid": entry["id"], "tenant_uid": entry["tenant"], "log_name": "audit",
        "event_code": entry["action"], "sequence": index, "original_time": entry["at"],
    } | ({"correlation_uid": entry["request_id"]} if entry["request_id"] else {})  # fmt: skip


def _actor(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry["actor"] == SYSTEM:
        return {"app_name": PRODUCT["name"]}
    return {"user": {"uid": entry["actor"], "type": entry["actor_kind"]}}


def _from(network: str) -> dict[str, Any]:
    """The log keeps the network of a request and never its address."""
    return {"name": network, "subnet_uid": network} if network else {"svc_name": PRODUCT["name"]}


def _unmapped(index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: entry[name] for name in ("actor_kind", "outcome", "target", "changes", "facts")}
    return kept | {"index": index, "sealed": sorted(entry["sealed"])}
