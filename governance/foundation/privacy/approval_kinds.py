"""The approvals of privacy: showing the name behind a pseudonym, and erasing a person."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.foundation.people.models import Membership
from governance.foundation.privacy import (
    erasure_actions,
    legal_hold_actions,
    permissions,
    person_erasure,
    queries,
    unmasking_actions,
)
from governance.foundation.privacy.models import Erasure
from governance.kernel import clock
from governance.kernel.errors import NotFound
from governance.kernel.safety.access import ROLE_NAMES

PRIVACY = ("Privacy", "privacy.index", dict[str, Any]())


# ---- who a pseudonym is


def _describe_unmasking(approval: Approval) -> Description:
    asked = queries.unmasking(approval.target_id)
    who = people.names([asked.requested_by]).get(asked.requested_by, "the requester")
    return Description(
        title=approval.summary,
        heading=f"One name is shown to {who}",
        sub="Nothing else changes, and no one else sees it.",
        facts=[
            ("Pseudonym", asked.subject),
            ("Shown to", who),
            ("For", "1 hour after the approval"),
        ],
        covers="Covers the pseudonym, who sees the name, and the request itself.",
        back=PRIVACY,
        verb="Approve and show the name",
        consequence=f"{who} sees the name in the audit log for an hour. The first use is recorded.",
    )


def _unmasking(approval: Approval) -> Mapping[str, Any]:
    asked = queries.unmasking(approval.target_id)
    return {"subject": asked.subject, "shown_to": asked.requested_by, "until": asked.until}


def _unmasking_entry(approval: Approval, _step: str) -> LogEntry:
    asked = queries.unmasking(approval.target_id)
    return LogEntry(asked, unmasking_actions.subject_of(asked), {"subject": asked.subject})


def _show_name(approval: Approval) -> None:
    unmasking_actions.show_name(
        queries.unmasking(approval.target_id, lock=True), at=approval.closed_at or clock.now()
    )


UNMASKING = ApprovalKind(
    name=queries.UNMASKING,
    label="Unmasking",
    permission=permissions.UNMASK,
    describe=_describe_unmasking,
    fingerprint=_unmasking,
    apply=_show_name,
    entry=_unmasking_entry,
    entries={
        "requested": unmasking_actions.UNMASKING_REQUESTED,
        "approved": None,
        "rejected": unmasking_actions.UNMASKING_REJECTED,
        "withdrawn": unmasking_actions.UNMASKING_WITHDRAWN,
    },
)

# ---- erasing a person


def _outcome(erasure: Erasure) -> list[ApprovalEffect]:
    """Return the effects of a decided request; a rejected or withdrawn one has none."""
    page = ("privacy.erasure", {"erasure_id": erasure.id}, "Details")
    outcomes = {
        "approved": ApprovalEffect(
            "due", "The person is being erased.", "It takes a few minutes.", page
        ),
        "done": ApprovalEffect(
            "ok",
            "The person was erased.",
            "Their page lists what was removed, replaced and kept.",
            page,
        ),
    }
    return [outcomes[erasure.state]] if erasure.state in outcomes else []


def _describe_erasure(approval: Approval) -> Description:
    erasure = queries.erasure(approval.target_id)
    found = Description(
        title=approval.summary,
        back=PRIVACY,
        heading="What is erased",
        facts=[("Pseudonym", erasure.subject)],
    )
    if erasure.state != "requested":
        return replace(found, effects=_outcome(erasure))
    member = _member(erasure)
    return replace(
        found,
        title=f"erase {member.person.name}",
        sub="A second person approves it. It can't be undone.",
        facts=[
            ("Person", member.person.name),
            ("Email", member.person.email),
            ("Role", ROLE_NAMES[member.role]),
            ("Pseudonym", erasure.subject),
        ],
        template="foundation/privacy/erasure_preview.html",
        details={"preview": person_erasure.preview(member)},
        covers="Covers the person, their name, address and role, and the request itself.",
        verb="Erase permanently",
        is_final=True,
        consequence=(
            "The erasure starts immediately and can't be undone. The audit log still verifies."
        ),
    )


def _member(erasure: Erasure) -> Membership:
    member = people.by_pseudonym(erasure.subject)
    if member is None:
        raise NotFound("This person is no longer in this tenant, so they can't be erased.")
    return member


def _erasure(approval: Approval) -> Mapping[str, Any]:
    erasure = queries.erasure(approval.target_id)
    return {
        "subject": erasure.subject,
        "person": _member(erasure).person_id,
        "state": erasure.state,
    }


def _person_now(approval: Approval) -> Mapping[str, Any]:
    member = _member(queries.erasure(approval.target_id))
    return {"name": member.person.name, "email": member.person.email, "role": member.role}


def _hold_on(approval: Approval) -> str | None:
    return legal_hold_actions.why_on_hold(queries.erasure(approval.target_id).subject)


def _start_erasure(approval: Approval) -> None:
    erasure = queries.erasure(approval.target_id, lock=True)
    erasure_actions.start_erasure(erasure, _member(erasure))


def _close_erasure(approval: Approval) -> None:
    state = "rejected" if approval.state == "rejected" else "withdrawn"
    erasure_actions.close_erasure(queries.erasure(approval.target_id, lock=True), state)


def _erasure_entry(approval: Approval, step: str) -> LogEntry:
    erasure = queries.erasure(approval.target_id)
    facts: dict[str, Any] = {"subject": erasure.subject}
    if step == "blocked":
        facts |= {
            "holds": [str(each.id) for each in queries.active_holds(erasure.subject)],
            "step": "approved",
        }
    return LogEntry(erasure, erasure.person_id, facts)


ERASURE = ApprovalKind(
    name=queries.ERASURE,
    label="Erasure",
    permission=permissions.ERASE,
    describe=_describe_erasure,
    fingerprint=_erasure,
    context=_person_now,
    blocked=_hold_on,
    confirmation=lambda approval: _member(queries.erasure(approval.target_id)).person.name,
    apply=_start_erasure,
    on_reject=_close_erasure,
    entry=_erasure_entry,
    lifetime=timedelta(days=30),
    entries={
        "requested": erasure_actions.ERASURE_REQUESTED,
        "approved": None,
        "rejected": erasure_actions.ERASURE_REJECTED,
        "withdrawn": erasure_actions.ERASURE_WITHDRAWN,
        "blocked": legal_hold_actions.ERASURE_BLOCKED,
    },
)

KINDS = (UNMASKING, ERASURE)
