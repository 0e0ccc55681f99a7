"""Announce, change and withdraw exclusions.

announce        approved immediately if announced in time, otherwise another person decides
change          before its start; new times are a new announcement
withdraw        alone before the start, with another person's approval after it
end_series      no further occurrence; past ones stay
approve, close, carry_out_withdrawal    after the decision on an approval

They don't change counts: an exclusion only defines which minutes attainment leaves out.
"""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.intervals import Span
from governance.kernel.work.events import publish
from governance.operations.maintenance import ports, queries
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.maintenance.exclusion_plan import TIMES, Plan, check
from governance.operations.maintenance.models import Exclusion
from governance.operations.maintenance.recurrence import Recurrence, last_end

FIELDS = (
    "ref category system indicator starts_at ends_at rrule repeat_until customer_visible state"
    " notice_minutes"
)
ANNOUNCED = action(
    "exclusion.announced",
    "announced an exclusion",
    target="Exclusion",
    activity="create",
    severity="low",
    fields=FIELDS,
    personal="title",
)
APPROVED = action(
    "exclusion.approved",
    "approved an exclusion",
    target="Exclusion",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="ok",
)
REJECTED = action(
    "exclusion.rejected",
    "closed an exclusion without approving it",
    target="Exclusion",
    activity="update",
    severity="low",
    fields="ref",
    shape="bad",
)
CHANGED = action(
    "exclusion.changed",
    "changed an exclusion",
    target="Exclusion",
    activity="update",
    severity="low",
    fields=FIELDS,
    personal="title",
)
WITHDRAWN = action(
    "exclusion.withdrawn",
    "withdrew an exclusion",
    target="Exclusion",
    activity="update",
    severity="low",
    fields="ref starts_at ends_at",
)
SERIES_ENDED = action(
    "exclusion.series.ended",
    "ended the repetition of an exclusion",
    target="Exclusion",
    activity="update",
    severity="low",
    fields="ref repeat_until",
)

LOCK = "exclusions"


def announce(plan: Plan, *, exclusion_id: UUID | None = None) -> Exclusion:
    """Announce an exclusion now. If it is late, another person must approve it first.

    The caller chooses `exclusion_id`, so that a form sent twice announces one exclusion. Raises
    Invalid with the field.
    """
    lock_tenant(LOCK)
    checked, series = check(plan)
    made = Exclusion(
        id=exclusion_id or uuid7(),
        number=queries.next_number(),
        announced_at=clock.now(),
        requested_by=current.actor().person_id,
        state="proposed",
    )
    _write(made, checked, series)
    session().add(made)
    _decide(made)
    record(ANNOUNCED, made, reason=made.reason, title=made.title, **_facts(made))
    _follow_up(made, [], "announced")
    return made


def _write(row: Exclusion, plan: Plan, series: Recurrence) -> None:
    for each in fields(plan):
        setattr(row, each.name, getattr(plan, each.name))
    row.time_zone, row.last_end = series.zone, last_end(series)


def needs_second_person(row: Exclusion) -> bool:
    """Return True if another person must approve it: announced late, or not maintenance."""
    return row.category != "maintenance" or is_late(row)


def is_late(row: Exclusion) -> bool:
    """Return True if it was announced later than the notice period of its system."""
    return _is_short(row.notice, row.system_id)


def would_need_second_person(plan: Plan) -> bool:
    """Return True if another person would have to approve the plan if announced now."""
    notice = plan.starts_at - clock.now()
    return plan.category != "maintenance" or _is_short(notice, plan.system_id)


def _is_short(notice: timedelta, system_id: UUID | None) -> bool:
    return notice < max(timedelta(0), timedelta(hours=ports.required_notice()(system_id)))


def _decide(row: Exclusion) -> None:
    """Approve an exclusion that needs no second person; otherwise it stays proposed."""
    row.state = "proposed" if needs_second_person(row) else "approved"
    row.approved_by, row.approved_at = None, None if row.state == "proposed" else clock.now()


def _follow_up(
    row: Exclusion,
    before: list[ExclusionChanged],
    what: Literal["announced", "changed", "withdrawn"],
) -> None:
    """Request the approval that it needs, and publish changes of approved minutes."""
    session().flush()
    if row.state == "proposed":
        approvals.request(
            queries.LATE, row.id, summary=f"exclude minutes: {row.title}", reason=row.reason
        )
    after = [_event(row, what)] if row.state == "approved" else []
    _tell([*before, *after])


def _event(row: Exclusion, what: Literal["announced", "changed", "withdrawn"]) -> ExclusionChanged:
    span = Span(row.starts_at, row.last_end)
    return ExclusionChanged(row.id, span, row.system_id, row.indicator_id, what)


def _tell(events: list[ExclusionChanged]) -> None:
    """Publish one event for each scope, over the span of all of its events."""
    scopes = {(each.system_id, each.indicator_id): each for each in events}
    for scope, last in scopes.items():
        spans = [e.span for e in events if (e.system_id, e.indicator_id) == scope]
        hull = Span(min(s.start for s in spans), max(s.end for s in spans))
        publish(replace(last, span=hull))


def _facts(row: Exclusion) -> dict[str, Any]:
    return {
        "ref": row.ref,
        "category": row.category,
        "system": row.system_id,
        "indicator": row.indicator_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "rrule": row.rrule,
        "repeat_until": row.repeat_until,
        "customer_visible": row.is_customer_visible,
        "state": row.state,
        "notice_minutes": row.notice // timedelta(minutes=1),
    }


# ---- changing


def change(row: Exclusion, plan: Plan, *, seen: int) -> None:
    """Change an exclusion. Other times, scope or category are a new announcement.

    `seen` is the revision that the person saw. Raises Stale if somebody changed it since.
    """
    lock_tenant(LOCK)
    session().refresh(row, with_for_update={"key_share": True})
    if row.revision != seen:
        raise Stale(
            f"Someone else changed {row.ref} while you were editing. Review it, then save again.",
            {"title": (plan.title, row.title), "reason": (plan.reason, row.reason)},
        )
    if row.state in {"withdrawn", "rejected"}:
        raise DomainError(f"{row.ref} is {row.state}. Announce a new one.")
    checked, series = check(plan)
    is_moved = any(getattr(row, name) != getattr(checked, name) for name in TIMES)
    is_approved = row.state == "approved"
    if is_moved and is_approved and row.starts_at <= clock.now():
        raise DomainError(
            f"{row.ref} has started, so its times stay. Withdraw it and announce a new one.",
            field="starts_at",
        )
    before = [_event(row, "changed")] if is_approved and is_moved else []
    approvals.void(queries.LATE, row.id, reason="The exclusion was changed.")
    _write(row, checked, series)
    row.revision += 1
    if is_moved:
        row.announced_at = clock.now()
    if is_moved or not is_approved:
        _decide(row)
    record(CHANGED, row, reason=row.reason, title=row.title, **_facts(row))
    if row.state == "proposed" or is_moved or not is_approved:
        _follow_up(row, before, "changed")


def end_series(row: Exclusion) -> None:
    """End a series: no further occurrence starts, and started ones stay."""
    lock_tenant(LOCK)
    session().refresh(row, with_for_update={"key_share": True})
    now = clock.now()
    if row.rrule is None or row.state != "approved" or row.last_end <= now:
        raise DomainError(f"{row.ref} has no further occurrences.")
    if row.starts_at > now:
        raise DomainError(f"{row.ref} hasn't started. Withdraw it instead.")
    before = _event(row, "changed")
    row.repeat_until = now
    row.last_end = max(row.ends_at, last_end(queries.series_of(row)))
    row.revision += 1
    record(SERIES_ENDED, row, ref=row.ref, repeat_until=now)
    _tell([before])


# ---- withdrawing


def withdraw(row: Exclusion, *, reason: str) -> None:
    """Withdraw an exclusion before its start, or request approval for it afterwards.

    Another person approves the withdrawal after the start, since closed months may depend on it.
    Idempotent.
    """
    lock_tenant(LOCK)
    session().refresh(row, with_for_update={"key_share": True})
    if row.state in {"withdrawn", "rejected"}:
        return
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    if row.state == "approved" and row.starts_at <= clock.now():
        approvals.request(
            queries.WITHDRAWAL,
            row.id,
            summary=f"withdraw {row.ref}: {row.title}",
            reason=reason,
        )
        return
    was_approved = row.state == "approved"
    approvals.void(queries.LATE, row.id, reason="The exclusion was withdrawn.")
    _withdraw(row, current.actor().person_id, reason=reason.strip(), was_approved=was_approved)


def _withdraw(
    row: Exclusion, by: UUID | None, *, reason: str | None, was_approved: bool = True
) -> None:
    row.state, row.withdrawn_at, row.withdrawn_by = "withdrawn", clock.now(), by
    row.revision += 1
    record(WITHDRAWN, row, reason=reason, ref=row.ref, starts_at=row.starts_at, ends_at=row.ends_at)
    if was_approved:
        _tell([_event(row, "withdrawn")])


def carry_out_withdrawal(row: Exclusion, *, requested_by: UUID | None, reason: str) -> None:
    """Withdraw an exclusion whose withdrawal was approved."""
    if row.state == "approved":
        _withdraw(row, requested_by, reason=reason)


# ---- after an approval


def approve(row: Exclusion) -> None:
    """Approve a proposed exclusion, so that it counts."""
    if row.state != "proposed":
        return
    row.state, row.approved_at = "approved", clock.now()
    row.approved_by = current.actor().person_id
    row.revision += 1
    record(APPROVED, row, **_facts(row))
    _tell([_event(row, "announced")])


def close(row: Exclusion) -> None:
    """Close an exclusion whose request was rejected, withdrawn or expired."""
    if row.state == "proposed":
        row.state = "rejected"
        row.revision += 1
