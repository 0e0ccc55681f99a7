"""Opening, changing and ending engagements, and files that leave by one.

Beside it: auditor_access.py, requests.py and packages.py.
"""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from governance.assurance.engagements import queries
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.fieldwork_window import window
from governance.assurance.engagements.models import (
    Engagement,
)
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import actions as people
from governance.foundation.people import queries as members
from governance.foundation.people.models import Invitation
from governance.foundation.tenants.events import TimeZoneChanged
from governance.kernel import clock, current
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.events import publish
from governance.kernel.formatting import long_day

WINDOW = (
    "ref firm framework criteria period_from period_to fieldwork_from fieldwork_to freezes_changes"
)
OPENED = action(
    "engagement.opened",
    "created an audit engagement",
    target="Engagement",
    activity="create",
    severity="low",
    fields=WINDOW,
)
CHANGED = action(
    "engagement.changed",
    "changed an audit engagement",
    target="Engagement",
    activity="update",
    severity="low",
    fields=WINDOW,
)
MOVED = action(
    "engagement.window.moved",
    "moved an engagement's fieldwork window to the tenant's new time zone",
    target="Engagement",
    activity="update",
    severity="low",
    fields="ref zone opens_at closes_at",
)
ENDED = action(
    "engagement.ended",
    "ended an audit engagement",
    target="Engagement",
    activity="update",
    severity="low",
    fields="ref firm",
)
TAKEN = action(
    "engagement.file.downloaded",
    "downloaded an engagement file",
    target="Engagement",
    activity="read",
    severity="low",
    fields="engagement page object sha256 size stamped original",
    personal="name",
)
BROKE_OFF = action(
    "engagement.download.interrupted",
    "lost access during a file download",
    target="Engagement",
    activity="read",
    severity="medium",
    fields="engagement page object bytes",
)
LONGEST = timedelta(days=3 * 366)


class Closed(Forbidden):
    """The auditor's engagement is not open."""


# ---- the engagement


def open_engagement(
    firm: str,
    *,
    framework_id: UUID | None,
    criteria: Sequence[str] = (),
    period_from: date,
    period_to: date,
    fieldwork_from: date,
    fieldwork_to: date,
    freezes_changes: bool = False,
) -> Engagement:
    """Open one; its auditors come in from midnight of `fieldwork_from` until the end of
    `fieldwork_to`, in the tenant's time zone.

    The same once more (a double click) is the one that stands.
    """
    alone("engagements")
    facts = _facts(
        firm,
        framework_id,
        criteria,
        period_from,
        period_to,
        fieldwork_from,
        fieldwork_to,
        freezes_changes=freezes_changes,
    )
    if (same := queries.same_engagement(facts)) is not None:
        return same
    made = Engagement(
        ref=_next_ref(),
        opened_by=current.actor().person_id,
        ended_at=None,
        created_at=clock.now(),
        version=1,
        **facts,
    )
    session().add(made)
    record(OPENED, made, ref=made.ref, **_told(made))
    return made


def _next_ref() -> str:
    """ENG-2026-01, counted in each year."""
    year = clock.today().year
    taken = [int(ref.rsplit("-", 1)[1]) for ref in queries.refs() if ref.startswith(f"ENG-{year}-")]
    return f"ENG-{year}-{max(taken, default=0) + 1:02}"


def _facts(
    firm: str,
    framework_id: UUID | None,
    criteria: Sequence[str],
    period_from: date,
    period_to: date,
    fieldwork_from: date,
    fieldwork_to: date,
    *,
    freezes_changes: bool,
) -> dict[str, Any]:
    firm = " ".join(firm.split())
    if not firm or len(firm) > 120:  # noqa: PLR2004 - a name of a firm
        raise Invalid("Enter the name of the audit firm, up to 120 characters.", field="firm")
    if period_from > period_to:
        raise Invalid(
            "The period ends before it starts. Choose a later end date.", field="period_to"
        )
    if fieldwork_from > fieldwork_to:
        raise Invalid(
            "The fieldwork ends before it starts. Choose a later end date.", field="fieldwork_to"
        )
    if fieldwork_to - fieldwork_from > LONGEST or period_to - period_from > LONGEST:
        raise Invalid(
            "The period and the fieldwork can each last up to three years.", field="fieldwork_to"
        )
    opens_at, closes_at = window(fieldwork_from, fieldwork_to, current.actor().time_zone)
    return {
        "firm": firm,
        "framework_id": framework_id,
        "criteria": check_criteria(framework_id, criteria),
        "period_from": period_from,
        "period_to": period_to,
        "fieldwork_from": fieldwork_from,
        "fieldwork_to": fieldwork_to,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "freezes_changes": freezes_changes,
    }


def check_criteria(framework_id: UUID | None, criteria: Sequence[str]) -> list[str]:
    wanted = [ref for each in criteria if (ref := each.strip())]
    if not wanted:
        return []
    if framework_id is None:
        raise Invalid("Choose the framework that these criteria belong to.", field="criteria")
    known = {each.ref for each in frameworks.requirements(framework_id)}
    if unknown := [ref for ref in wanted if ref not in known]:
        raise Invalid(
            f"{unknown[0]} isn't a requirement of this framework. Check the ref.", field="criteria"
        )
    return list(dict.fromkeys(wanted))


def _told(held: Engagement) -> dict[str, Any]:
    """As the log tells it."""
    framework = frameworks.framework_by_id(held.framework_id).key if held.framework_id else None
    names = (
        "firm",
        "criteria",
        "period_from",
        "period_to",
        "fieldwork_from",
        "fieldwork_to",
        "freezes_changes",
    )
    return {"framework": framework, **{name: getattr(held, name) for name in names}}


def change(
    held: Engagement,
    *,
    version: int,
    firm: str,
    framework_id: UUID | None,
    criteria: Sequence[str],
    period_from: date,
    period_to: date,
    fieldwork_from: date,
    fieldwork_to: date,
    freezes_changes: bool,
) -> None:
    """Change what it is about and when; a shorter window shuts the door at once."""
    check_not_ended(held)
    if version != held.version:
        raise Stale(f"{held.ref} was changed while you were editing. Review it, then save again.")
    before = _told(held)
    facts = _facts(
        firm,
        framework_id,
        criteria,
        period_from,
        period_to,
        fieldwork_from,
        fieldwork_to,
        freezes_changes=freezes_changes,
    )
    for name, value in facts.items():
        setattr(held, name, value)
    after = _told(held)
    if after == before:
        return
    held.version += 1
    record(CHANGED, held, before=before, after=after, ref=held.ref)
    _move_invitations(held)
    end_expired_sessions()


def end(held: Engagement, *, reason: str) -> None:
    """Before its window closes: its auditors are out at once."""
    check_not_ended(held)
    if not reason.strip():
        raise Invalid("Enter a reason for ending the engagement now.", field="reason")
    held.ended_at = clock.now()
    record(ENDED, held, reason=reason.strip()[:2000], ref=held.ref, firm=held.firm)
    _move_invitations(held)
    end_expired_sessions()


def apply_time_zone(changed: TimeZoneChanged) -> None:
    """Move windows that are not over to midnight of the tenant's new time zone, at once."""
    zone = changed.time_zone
    for held in queries.not_over(clock.now()):
        before = {"opens_at": held.opens_at, "closes_at": held.closes_at}
        opens_at, closes_at = window(held.fieldwork_from, held.fieldwork_to, zone)
        held.opens_at, held.closes_at = opens_at.astimezone(UTC), closes_at.astimezone(UTC)
        after = {"opens_at": held.opens_at, "closes_at": held.closes_at}
        if after == before:
            continue
        held.version += 1
        record(MOVED, held, before=before, after=after, ref=held.ref, zone=zone)
        _move_invitations(held)
    end_expired_sessions()


def _move_invitations(held: Engagement) -> None:
    """An invitation lasts as long as the longest engagement that it leads to, and goes with the
    last of them.
    """
    session().flush()
    for invitation_id in queries.open_invitations(held.id):
        fit_invitation(members.invitation(invitation_id), how="the engagement was ended")


def fit_invitation(invitation: Invitation, *, how: str) -> None:
    until = queries.needed_until(invitation.id)
    if until is None:
        people.withdraw(invitation, how=how)
    elif until != invitation.expires_at:
        invitation.expires_at = until


def check_not_ended(held: Engagement) -> None:
    if held.ended_at is not None:
        raise DomainError(
            f"{held.ref} ended on {long_day(held.ended_at.date())} and can no longer be changed."
        )


def check_not_over(held: Engagement) -> None:
    check_not_ended(held)
    if clock.now() >= held.closes_at:
        raise DomainError(
            f"The fieldwork of {held.ref} ended on {long_day(held.fieldwork_to)}. It can no longer be"
            " changed."
        )


def end_expired_sessions() -> int:
    """End the access of auditors none of whose engagements is open; how many had a session."""
    session().flush()
    expired = queries.auditors_without_access(clock.now())
    for person_id in expired:
        publish(AuditorAccessEnded(person_id, how="access to the engagement ended"))
    return len(expired)


# ---- files that leave


def record_download(
    held: Engagement,
    *,
    page: str,
    what: str,
    name: str,
    size: int,
    sha256: str | None,
    original: str | None,
) -> None:
    """The custody line of a file that an auditor took; of a stamped copy, also the digest of the
    original.
    """
    record(
        TAKEN,
        held,
        engagement=held.ref,
        page=page,
        object=what or None,
        sha256=sha256,
        size=size,
        stamped=original is not None,
        original=original,
        name=name,
    )


def record_broken_off(held: Engagement, *, page: str, what: str, octets: int) -> None:
    """The access ended while a file was on its way; how much of it had left."""
    record(BROKE_OFF, held, engagement=held.ref, page=page, object=what or None, bytes=octets)
