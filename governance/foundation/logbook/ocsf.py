"""An entry of the log as an event of OCSF 1.8.0, for a SIEM. Pure.

    event(index, entry, action) -> dict     one event; `entry` is the parsed signed JSON, `action`
                                            its declaration

The action declares class, activity and severity (foundation/audit/registry.py): sign-ins are
Authentication (3002), changes of people, memberships and the tenant Entity Management (3004),
everything else API Activity (6003). An action that this version doesn't know is API Activity
"Other". Actors are pseudonyms; encrypted fields are left out; what OCSF has no place for is
`unmapped`. Source: https://schema.ocsf.io/1.8.0, classes 3002, 3004 and 6003.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from governance.foundation.audit.registry import Action

VERSION = "1.8.0"
PRODUCT = {"name": "Meridian", "vendor_name": "Meridian"}
SYSTEM = "0" * 32  # The pseudonym of Meridian's own work.
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
SUCCESS, FAILURE, OTHER = 1, 2, 99
OUTCOMES = {
    "done": (SUCCESS, "Success"),
    "denied": (FAILURE, "Failure"),
    "failed": (FAILURE, "Failure"),
}
AUTHENTICATION, ENTITY_MANAGEMENT, API_ACTIVITY = 3002, 3004, 6003
CLASSES = {
    "authentication": AUTHENTICATION,
    "entity_management": ENTITY_MANAGEMENT,
    "api_activity": API_ACTIVITY,
}
ACTIVITIES = {
    "logon": 1,  # Class 3002, as is logoff.
    "logoff": 2,
    "create": 1,
    "read": 2,
    "update": 3,
    "delete": 4,
}
SEVERITIES = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}


def event(index: int, entry: Mapping[str, Any], action: Action | None) -> dict[str, Any]:
    """Return the event of the entry at place `index`.

    `action` is None when this version doesn't know it.
    """
    class_uid = CLASSES[action.event_class] if action else API_ACTIVITY
    activity = ACTIVITIES[action.activity] if action else OTHER
    status, status_name = OUTCOMES.get(entry["outcome"], (OTHER, entry["outcome"]))
    return {
        "category_uid": class_uid // 1000,
        "class_uid": class_uid,
        "activity_id": activity,
        "type_uid": class_uid * 100 + activity,
        "severity_id": SEVERITIES[action.severity] if action else SEVERITIES["informational"],
        "status_id": status,
        "status": status_name,
        "time": _milliseconds(entry["at"]),
        "message": action.says if action else entry["action"],
        "metadata": _metadata(index, entry),
        "actor": _actor(entry),
        "src_endpoint": _from(entry["origin"]),
        **_of_class(class_uid, entry),
        "unmapped": _unmapped(index, entry),
    } | ({"activity_name": entry["action"]} if activity == OTHER else {})


def _of_class(class_uid: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that only this class has."""
    kind, target = entry["target"]
    if class_uid == AUTHENTICATION:
        return {"user": {"uid": entry["actor"]}, "service": {"name": PRODUCT["name"]}}
    if class_uid == ENTITY_MANAGEMENT:
        return {"entity": {"uid": target, "type": kind}}
    api: dict[str, Any] = {"operation": entry["action"]}
    if entry["request_id"]:
        api["request"] = {"uid": entry["request_id"]}
    return {"api": api, "resources": [{"uid": target, "type": kind}]}


def _milliseconds(at: str) -> int:
    return (datetime.fromisoformat(at) - EPOCH) // timedelta(milliseconds=1)


def _metadata(index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": VERSION,
        "product": PRODUCT,
        "uid": entry["id"],
        "tenant_uid": entry["tenant"],
        "log_name": "audit",
        "event_code": entry["action"],
        "sequence": index,
        "original_time": entry["at"],
    } | ({"correlation_uid": entry["request_id"]} if entry["request_id"] else {})


def _actor(entry: Mapping[str, Any]) -> dict[str, Any]:
    if entry["actor"] == SYSTEM:
        return {"app_name": PRODUCT["name"]}
    return {"user": {"uid": entry["actor"], "type": entry["actor_kind"]}}


def _from(network: str) -> dict[str, Any]:
    """Return the network of a request, since the log never has its full address."""
    return {"name": network, "subnet_uid": network} if network else {"svc_name": PRODUCT["name"]}


def _unmapped(index: int, entry: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: entry[name] for name in ("actor_kind", "outcome", "target", "changes", "facts")}
    return kept | {"index": index, "sealed": sorted(entry["sealed"])}
