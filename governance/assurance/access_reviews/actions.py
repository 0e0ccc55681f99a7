"""Access reviews: someone decides on each membership and API key, then closes the review.

    start_review(title, due_on)     lists the current members and keys with their last use
    decide(review, decisions)       keeps, lowers or revokes access; saves all decisions or none
    send_reminders(review, how)     emails those who can review
    close_review(review)            saves the decisions as evidence

Nobody decides on their own access, or on a key that they created. A review only reduces access;
the members' page grants it. Revocations apply immediately, and a review can't restore access. A
revocation needs the same permission as outside a review, such as the one to remove members.
"""

import io
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from governance.assurance.access_reviews import permissions, queries
from governance.assurance.access_reviews.models import AccessReview, AccessReviewItem
from governance.assurance.access_reviews.queries import ReviewedAccess, ReviewProgress
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.foundation.api_keys import actions as keys
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import member_actions
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.files.spreadsheet_writer import Cell, csv_rows
from governance.kernel.formatting import long_day, plural, thousands
from governance.kernel.safety import access
from governance.kernel.safety.access import ROLE_NAMES
from governance.kernel.work import outbox

REVIEW_STARTED = action(
    "access_review.started",
    "started an access review",
    target="AccessReview",
    activity="create",
    severity="informational",
    fields="title due_on members keys",
)
DECISION_RECORDED = action(
    "access_review.decisions.recorded",
    "recorded access review decisions",
    target="AccessReviewItem",
    activity="update",
    severity="low",
    fields="kind key held decision role",
    persons="member",
)
REMINDER_SENT = action(
    "access_review.reminder.sent",
    "sent a reminder about an access review",
    target="AccessReview",
    activity="update",
    severity="informational",
    fields="title due_on how people",
)
REVIEW_CLOSED = action(
    "access_review.closed",
    "closed an access review",
    target="AccessReview",
    activity="update",
    severity="informational",
    fields="title due_on rows kept lowered revoked gone evidence version",
)

EVIDENCE_TITLE = "Access review"
MAX_DURATION = timedelta(days=92)
EVIDENCE_VALIDITY = timedelta(days=120)  # A quarter and some weeks
MIN_REVIEWERS = 2
MAX_REASON_LENGTH = 2000


class ReviewClosed(DomainError):
    pass


def start_review(title: str, *, due_on: date | None) -> AccessReview:
    """Start a review. One can be open at a time.

    Raise Invalid if fewer than two people can review, because nobody reviews their own access.
    """
    lock_tenant("access reviews")
    if (there := queries.open_review()) is not None:
        raise DomainError(f"{there.title} is still in progress. Close it before you start another.")
    title = " ".join(title.split())
    if not title:
        raise Invalid("Enter a name, for example the quarter under review.", field="title")
    if due_on is None or not clock.today() <= due_on <= clock.today() + MAX_DURATION:
        raise Invalid("Choose a due date between today and three months from now.", field="due_on")
    if len(queries.reviewers()) < MIN_REVIEWERS:
        raise Invalid(
            "A review needs two reviewers, because no one can review their own access. Make another"
            " person an admin or compliance officer first."
        )
    made = AccessReview(
        title=title[:120],
        due_on=due_on,
        started_by=current.actor().person_id,
        closed_by=None,
        closed_at=None,
        evidence_version_id=None,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    members, machines = _add_items(made)
    record(REVIEW_STARTED, made, title=made.title, due_on=due_on, members=members, keys=machines)
    return made


def _add_items(review: AccessReview) -> tuple[int, int]:
    seen, members, machines = queries.last_used(), queries.memberships(), queries.live_keys()
    session().add_all(
        _item(
            review,
            membership_id=m.id,
            held=m.role,
            since=m.created_at,
            used_at=seen.get(m.person_id),
        )
        for m in members
    )
    session().add_all(
        _item(review, key_id=k.id, held=" ".join(k.scopes), since=k.created_at, used_at=k.used_at)
        for k in machines
    )
    return len(members), len(machines)


def _item(review: AccessReview, **facts: object) -> AccessReviewItem:
    return AccessReviewItem(
        id=uuid7(), access_review_id=review.id, reason="", created_at=clock.now(), **facts
    )


def decide(review: AccessReview, decisions: Mapping[UUID, str], *, reason: str = "") -> int:
    """Save all decisions or none. Return the number of new ones.

    `decisions` maps items to keep, revoke, or a lower role.
    """
    lock_tenant("access reviews")
    session().refresh(review)
    _check_open(review)
    if not decisions:
        raise Invalid("Choose a decision for at least one item.")
    rows = queries.reviewed_access(review.id, decisions.keys(), lock=True)
    if len(rows) != len(decisions):
        raise NotFound("One of these items isn't in this review, so nothing was saved.")
    return sum(
        _decide(row, decisions[row.item.id], reason.strip()[:MAX_REASON_LENGTH]) for row in rows
    )


def _decide(row: ReviewedAccess, wanted: str, reason: str) -> bool:
    decision, role = (wanted, None) if wanted in {"keep", "revoke"} else ("lower", wanted)
    item = row.item
    if (item.decision, item.role) == (decision, role):
        return False
    if (refusal := _why_not(row, wanted)) is not None:
        raise refusal
    if decision != "keep" and not reason:
        raise Invalid("Enter a reason for revoking or downgrading access.", field="reason")
    item.decision, item.role, item.reason = decision, role, reason
    item.decided_by, item.decided_at = current.person_id(), clock.now()
    _apply(row, decision, role)
    record(
        DECISION_RECORDED,
        item,
        reason=reason or None,
        kind="member" if row.member is not None else "key",
        held=item.held,
        decision=decision,
        role=role,
        member=row.member.person_id if row.member is not None else None,
        key=row.key.name if row.key else None,
    )
    return True


def why_not_decide(review: AccessReview, row: ReviewedAccess, wanted: str) -> str | None:
    """Return why the acting person can't make this decision, or None if they can."""
    refusal = (
        ReviewClosed(_closed_sentence(review))
        if review.closed_at is not None
        else _why_not(row, wanted)
    )
    return refusal.message if refusal else None


def _why_not(row: ReviewedAccess, wanted: str) -> DomainError | None:
    if (why := access.why_not(permissions.DECIDE, on=row)) is not None:
        return Forbidden(why)
    if wanted != "keep" and (refusal := _why_not_reduce(row)) is not None:
        return refusal
    if row.is_gone:
        return Stale(
            f"The access of {row.name} ended after the review started. No decision is needed."
        )
    if row.item.decision in {"revoke", "lower"}:
        return Stale(f"The decision on {row.name} was already applied.")
    if wanted not in {"keep", "revoke", *row.lower}:
        return Invalid(
            f"A review can only reduce access. Choose a lower role for {row.name}, or revoke it."
        )
    return None


def _why_not_reduce(row: ReviewedAccess) -> DomainError | None:
    if access.allowed(permissions.reducing(row)):
        return None
    return Forbidden(
        f"You can keep the access of {row.name}. To reduce it, ask a tenant admin to decide."
    )


def _apply(row: ReviewedAccess, decision: str, role: str | None) -> None:
    """Apply the decision immediately.

    It runs the actions of members and keys, so the last admin can't be removed.
    """
    if decision == "keep":
        return
    if row.key is not None:
        keys.revoke(row.key)
    elif row.member is not None and role is not None:
        member_actions.change_role(row.member, role)
    elif row.member is not None:
        member_actions.remove_member(row.member)


def send_reminders(review: AccessReview, how: str) -> int:
    """Email everyone who can review. Return their number."""
    _check_open(review)
    tally = queries.review_progress(queries.reviewed_access(review.id))
    to = queries.reviewers()
    for member in to:
        outbox.send_mail(
            member.person.email,
            f"{review.title}: {plural(tally.open, 'decision')} due by {long_day(review.due_on)}",
            f"{review.title} at {current.actor().tenant_name} is due on {long_day(review.due_on)}."
            f" {thousands(tally.decided)} of {plural(tally.rows, 'item')} are decided.\n\n"
            "To continue, open Meridian and go to Settings > Access reviews.\n",
        )
    record(REMINDER_SENT, review, title=review.title, due_on=review.due_on, how=how, people=len(to))
    return len(to)


def close_review(review: AccessReview) -> EvidenceVersion:
    """Close a review whose items are all decided. It can't change afterwards.

    Another person reviews the evidence.
    """
    lock_tenant("access reviews")
    session().refresh(review)
    _check_open(review)
    rows = queries.reviewed_access(review.id)
    tally = queries.review_progress(rows)
    if tally.open:
        raise Invalid(
            f"{thousands(tally.open)} of {plural(tally.rows, 'item')}"
            f" {'needs' if tally.open == 1 else 'need'} a decision before you can close the review."
        )
    today = clock.today()
    with filed_by_meridian():
        held = _evidence_item()
        version = version_actions.upload_version(
            held,
            io.BytesIO(_sheet(review, rows, tally)),
            f"access-review-{today}.csv",
            collected_on=today,
            period_from=review.created_at.date(),
            period_to=today,
            valid_until=today + EVIDENCE_VALIDITY,
            source="access review",
        )
    review.closed_by, review.closed_at, review.evidence_version_id = (
        current.person_id(),
        clock.now(),
        version.id,
    )
    record(
        REVIEW_CLOSED,
        review,
        title=review.title,
        due_on=review.due_on,
        rows=tally.rows,
        kept=tally.kept,
        lowered=tally.lowered,
        revoked=tally.revoked,
        gone=tally.gone,
        evidence=held.ref,
        version=version.number,
    )
    return version


def _evidence_item() -> Evidence:
    """Return the evidence item for access reviews, created once.

    It is linked to its control if the tenant has adopted that control.
    """
    held, control = queries.review_evidence(EVIDENCE_TITLE), queries.access_review_control()
    if held is None:
        linked = (
            {control: "Each membership and API key, reviewed by another person"} if control else {}
        )
        held = evidence.create_item(
            EVIDENCE_TITLE, kind="record", cadence="quarterly", controls=linked
        )
    return held


SHEET_COLUMNS = (
    "Type",
    "Person or API key",
    "Access",
    "Since",
    "Last used",
    "Decision",
    "New role",
    "Decided by",
    "Decided at",
)

SHEET_DECISIONS = {"keep": "Kept", "lower": "Downgraded", "revoke": "Revoked"}


def _sheet(review: AccessReview, rows: list[ReviewedAccess], tally: ReviewProgress) -> bytes:
    """Return the decisions as CSV, with pseudonyms.

    Stored evidence can't be redacted, so it must not contain names. The reasons are encrypted in
    the audit log.
    """
    known = queries.pseudonyms({row.item.decided_by for row in rows if row.item.decided_by})
    above: list[tuple[Cell, ...]] = [
        ("Access review", review.title),
        ("Tenant", current.actor().tenant_name),
        ("Started", review.created_at),
        ("Due", review.due_on),
        ("Closed", clock.now()),
        ("Items", tally.rows),
        ("Kept", tally.kept),
        ("Downgraded", tally.lowered),
        ("Revoked", tally.revoked),
        ("Ended after the review started", tally.gone),
    ]
    table: list[tuple[Cell, ...]] = [
        (
            "Member" if row.member is not None else "API key",
            row.member.pseudonym if row.member is not None else row.name,
            row.item.held,
            row.item.since,
            row.item.used_at,
            SHEET_DECISIONS.get(row.item.decision or "", "Ended"),
            ROLE_NAMES.get(row.item.role or ""),
            known.get(row.item.decided_by, "") if row.item.decided_by else "",
            row.item.decided_at,
        )
        for row in rows
    ]
    return csv_rows(above) + b"\r\n" + csv_rows([SHEET_COLUMNS, *table])


def _check_open(review: AccessReview) -> None:
    if review.closed_at is not None:
        raise ReviewClosed(f"{_closed_sentence(review)} Nothing was saved.")


def _closed_sentence(review: AccessReview) -> str:
    closed_on = review.closed_at.date() if review.closed_at else clock.today()
    return f"{review.title} was closed on {long_day(closed_on)}."
