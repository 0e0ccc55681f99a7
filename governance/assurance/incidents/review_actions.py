"""Write the review after an incident, manage its actions, and close it.

edit_review     edits the five parts; raises Stale if somebody else saved first
add_follow_up   adds an action with an owner and a due date
complete        marks an action as done, with its outcome
close           closes an incident whose review is complete; the review becomes evidence
"""

from datetime import date
from uuid import UUID

from governance.assurance.incidents import actions, deadlines, permissions, queries
from governance.assurance.incidents.clocks import open_clocks
from governance.assurance.incidents.models import FollowUp, Incident, IncidentReview
from governance.assurance.incidents.text_fields import (
    MAX_LINE_LENGTH,
    MAX_TITLE_LENGTH,
    optional,
    required,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.kernel import clock, current
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.formatting import plural
from governance.kernel.safety.access import require
from governance.kernel.safety.conditions import is_owner
from governance.kernel.work import jobs

REVIEW_EDITED = action(
    "incident.review.edited",
    "edited the review of an incident",
    target="IncidentReview",
    activity="update",
    severity="informational",
    fields="ref parts",
)
REVIEW_CLOSED = action(
    "incident.review.closed",
    "closed the review of an incident",
    target="IncidentReview",
    activity="update",
    severity="low",
    fields="ref follow_ups",
    shape="ok",
)
FOLLOW_UP_ADDED = action(
    "incident.follow_up.added",
    "added an action to an incident",
    target="FollowUp",
    activity="create",
    severity="informational",
    fields="ref due_on",
    persons="owner",
    personal="title",
)
FOLLOW_UP_CHANGED = action(
    "incident.follow_up.changed",
    "changed an action of an incident",
    target="FollowUp",
    activity="update",
    severity="informational",
    fields="ref due_on",
    persons="owner",
)
FOLLOW_UP_DONE = action(
    "incident.follow_up.completed",
    "completed an action of an incident",
    target="FollowUp",
    activity="update",
    severity="informational",
    fields="ref due_on",
    personal="title result",
    shape="ok",
)

FILE_WORK = "file incident review"
PARTS = ("happened", "impact", "factors", "went_well", "to_change")
PART_NAMES = {
    "happened": "What happened",
    "impact": "Impact",
    "factors": "Contributing factors",
    "went_well": "What went well",
    "to_change": "What to change",
}
PROMPTS = {
    "happened": "The course of events, in the order in which they happened.",
    "impact": "Who and what was affected, for how long, with figures.",
    "factors": "Everything that made it possible or made it last. No single cause, no names.",
    "went_well": "What kept it from being worse.",
    "to_change": "What will be different. Add each change as an action with an owner.",
}


def edit_review(incident: Incident, *, version: int, **parts: str) -> IncidentReview:
    """Save the parts of the review. Raise Stale, with both texts, if somebody else saved first."""
    require(permissions.MANAGE, on=incident)
    lock_tenant(f"review of {incident.id}")
    texts = {name: optional(parts.get(name, ""), name) for name in PARTS}
    found = queries.review(incident.id, lock=True)
    if found is not None and found.closed_at is not None:
        raise DomainError("This review is closed, so it can't be changed.")
    if version != (found.version if found else 0):
        raise Stale(
            "The review was changed while you were editing. Review the differences, then save"
            " again.",
            changes={
                PART_NAMES[name]: (texts[name], getattr(found, name) if found else "")
                for name in PARTS
                if texts[name] != (getattr(found, name) if found else "")
            },
        )
    if found is None:
        found = IncidentReview(incident_id=incident.id, version=0, created_at=clock.now())
        session().add(found)
    changed = [name for name in PARTS if texts[name] != (getattr(found, name) or "")]
    if not changed and found.version:
        return found
    for name in PARTS:
        setattr(found, name, texts[name])
    found.version += 1
    found.edited_by = current.actor().person_id
    record(REVIEW_EDITED, found, ref=incident.ref, parts=[PART_NAMES[each] for each in changed])
    return found


# ---- actions afterwards


def add_follow_up(
    incident: Incident, title: str, *, owner_id: UUID | None, due_on: date
) -> FollowUp:
    """Add an action. A closed incident still accepts actions."""
    require(permissions.MANAGE, on=incident)
    if owner_id is None:
        raise Invalid("Choose an owner.", field="owner_id")
    check_may_own(owner_id)
    if due_on < clock.today():
        raise Invalid("Choose a day from today on.", field="due_on")
    made = FollowUp(
        incident_id=incident.id,
        title=required(title, "title", "Enter what to change.", limit=MAX_TITLE_LENGTH),
        owner_id=owner_id,
        due_on=due_on,
        created_at=clock.now(),
    )
    session().add(made)
    record(FOLLOW_UP_ADDED, made, ref=incident.ref, due_on=due_on, owner=owner_id, title=made.title)
    return made


def follow_up_of(incident: Incident, follow_up_id: UUID, *, lock: bool = True) -> FollowUp:
    """Return the action. Raise NotFound if it is of another incident."""
    found = find(FollowUp, follow_up_id, what="action", lock=lock)
    if found.incident_id != incident.id:
        raise NotFound("This action doesn't exist.")
    return found


def assign_follow_up(
    incident: Incident, found: FollowUp, *, owner_id: UUID | None, due_on: date
) -> None:
    """Change an open action's owner or due date."""
    require(permissions.MANAGE, on=incident)
    if found.done_at is not None:
        raise DomainError("This action is done, so it can't be changed.")
    if owner_id is None:
        raise Invalid("Choose an owner.", field="owner_id")
    check_may_own(owner_id)
    before = {"owner": found.owner_id, "due_on": found.due_on}
    found.owner_id, found.due_on = owner_id, due_on
    after = {"owner": owner_id, "due_on": due_on}
    if after != before:
        record(FOLLOW_UP_CHANGED, found, ref=incident.ref, before=before, after=after)


def complete(incident: Incident, found: FollowUp, *, outcome: str = "") -> None:
    """Mark an action as done. Idempotent.

    The action's owner may do it, and those who may change the incident.
    """
    require(permissions.NOTE)
    if not is_owner(current.actor(), found):
        require(permissions.MANAGE, on=incident)
    if found.done_at is not None:
        return
    found.outcome = optional(outcome, "outcome", limit=MAX_LINE_LENGTH * 5)
    found.done_at, found.done_by = clock.now(), current.actor().person_id
    record(
        FOLLOW_UP_DONE,
        found,
        ref=incident.ref,
        due_on=found.due_on,
        title=found.title,
        result=found.outcome or None,
    )


# ---- closing


def why_not_close(incident: Incident) -> list[str]:
    """Return sentences that say what keeps the incident from being closed; empty if nothing does."""
    problems = []
    if incident.state != "resolved":
        problems.append("The incident is not resolved yet.")
    found = queries.review(incident.id)
    missing = [
        PART_NAMES[name].lower() for name in PARTS if found is None or not getattr(found, name)
    ]
    if missing:
        problems.append(f"The review lacks: {', '.join(missing)}.")
    waiting = open_clocks(deadlines.clocks_of(incident))
    if waiting:
        names = ", ".join(each.name for each in waiting)
        are = "is" if len(waiting) == 1 else "are"
        problems.append(f"{plural(len(waiting), 'statutory clock')} {are} open: {names}.")
    if any(each.impact.ends_at is None for each in queries.impacts_of([incident.id])[incident.id]):
        problems.append("An impact window has no end.")
    return problems


def close(incident: Incident) -> None:
    """Close the review and the incident. The review becomes evidence after the commit.

    Raise DomainError with what is missing, or Forbidden without the permission.
    """
    require(permissions.CLOSE)
    session().refresh(incident, with_for_update={"key_share": True})
    if incident.state == "closed":
        return  # A second click.
    problems = why_not_close(incident)
    if problems:
        raise DomainError(f"{incident.ref} can't be closed yet. {' '.join(problems)}")
    found = queries.review(incident.id, lock=True)
    if found is None:
        raise Forbidden("There is no review.")  # Unreachable: why_not_close reports it first.
    found.closed_at, found.closed_by = clock.now(), current.actor().person_id
    record(REVIEW_CLOSED, found, ref=incident.ref, follow_ups=len(queries.follow_ups(incident.id)))
    actions.enter(incident, "closed")
    record(actions.CLOSED, incident, ref=incident.ref, state="closed")
    jobs.enqueue(FILE_WORK, incident.id)
