"""The chain of custody of an evidence item's versions, from the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from governance.assurance.evidence.version_queries import VersionView
from governance.foundation.people.queries import timeline

CUSTODY_ACTIONS = {
    "evidence.version.uploaded": "Uploaded",
    "evidence.version.accepted": "Accepted",
    "evidence.version.rejected": "Rejected",
    "evidence.version.downloaded": "Downloaded",
    "evidence.version.previewed": "Viewed as a preview",
    "evidence.version.corrupted": "Found corrupted",
    "evidence.version.restored": "Found restored",
    "evidence.deletion.requested": "Deletion requested",
    "evidence.deletion.approved": "Deletion approved",
    "evidence.version.deleted": "Permanently deleted",
}


@dataclass(frozen=True, slots=True)
class CustodyStep:
    """An action on a version: when, who acted, and from which IP address (`origin`)."""

    number: int
    at: datetime
    says: str
    who: str
    origin: str
    is_day: bool = False  # Only the day is known, not the time.


@dataclass(frozen=True, slots=True)
class Custody:
    """The steps of a chain of custody.

    `limit` is the number of log entries read if there are more, otherwise None.
    """

    steps: Sequence[CustodyStep]
    limit: int | None


def custody(shown: Sequence[VersionView], *, limit: int = 200) -> Custody:
    """Return the chain of custody, newest first, including collection dates."""
    numbers = {v.id: v.number for v in shown}
    collected = [
        CustodyStep(v.number, v.collected_at, "Collected", v.source, "", is_day=True) for v in shown
    ]
    moments = timeline(list(numbers), limit=limit + 1)
    logged_steps = [
        CustodyStep(numbers[m.target_id], m.at, CUSTODY_ACTIONS[m.action], m.who, m.origin)
        for m in moments[:limit]
        if m.action in CUSTODY_ACTIONS
    ]
    steps = sorted([*logged_steps, *collected], key=lambda step: step.at, reverse=True)
    return Custody(steps, limit if len(moments) > limit else None)
