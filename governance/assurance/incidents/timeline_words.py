"""Sentences for audit log entries in the timeline of their own incident. Pure.

The log's sentence fits any incident ("moved an incident to its next state") and lists the facts
after it. In the timeline, the facts are part of the sentence: "moved the incident to Monitoring".
"""

from collections.abc import Mapping
from typing import Any

from governance.assurance.incidents.states import NAMES

CLASSIFIED, UPDATE = "incident.classified", "CustomerUpdate"
ROLLOUT = "Rollout"
STATES = {
    "incident.advanced": "moved the incident to {}",
    "incident.reopened": "moved the incident back to {}",
    "incident.closed": "closed the incident",
}


def sentence(
    action: str, target_type: str, says: str, facts: Mapping[str, Any]
) -> tuple[str, set[str]]:
    """Return what a person did, and the names of the facts used in the sentence."""
    if action in STATES and isinstance(facts.get("state"), str):
        name = NAMES.get(facts["state"], facts["state"])
        return STATES[action].format(name), {"state"}
    if action == CLASSIFIED and isinstance(facts.get("applies"), bool) and facts.get("law"):
        verb = "applies" if facts["applies"] else "doesn't apply"
        return f"decided that {facts['law']} {verb}", {"applies", "law"}
    if target_type == UPDATE and isinstance(facts.get("number"), int):
        return says.replace("a customer update", f"customer update {facts['number']}"), {"number"}
    if target_type == ROLLOUT and facts.get("ref"):
        return _rollout(says, facts), {"ref", "system", "release", "stage"}
    return _other(action, says, facts)


def _other(action: str, says: str, facts: Mapping[str, Any]) -> tuple[str, set[str]]:
    if isinstance(facts.get("step"), int) and "a playbook step" in says:
        return says.replace("a playbook step", f"step {facts['step']}"), {"step"}
    if action.startswith("incident."):
        return says.replace("an incident", "the incident"), set()
    return says, set()


def _rollout(says: str, facts: Mapping[str, Any]) -> str:
    """Return "halted RO-1 of claims-triage, release 2026.12.0, at 5%"."""
    ref, stage = facts["ref"], str(facts.get("stage") or "")
    where = "in shadow" if stage == "Shadow" else f"at {stage}"
    said = says.replace("a rollout to its next stage", ref).replace("a rollout", ref)
    told = f"{said} of {facts.get('system')}, release {facts.get('release')}"
    return f"{told}, {where}" if stage else told
