"""Create, change and end engagements, and record the files that auditors download.

Auditors are in auditors/access.py, requests in requests/actions.py and packages in
packages/actions.py.
"""

from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any
from uuid import UUID

from governance.assurance.engagements import queries
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.fieldwork_window import access_window
from governance.assurance.engagements.models import (
    Engagement,
)
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import invitation_actions
from governance.foundation.people import queries as members
from governance.foundation.people.models import Invitation
from governance.foundation.tenants.events import TimeZoneChanged
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.formatting import long_day
from governance.kernel.work.events import publish

ENGAGEMENT_FIELDS = (
    "ref firm framework criteria period_from period_to fieldwork_from fieldwork_to freezes_changes"
    " shows_names is_red_team"
)
ENGAGEMENT_CREATED = action(
    "engagement.opened",
    "created an audit engagement",
    target="Engagement",
    activity="create",
    severity="low",
    fields=ENGAGEMENT_FIELDS,
)
ENGAGEMENT_CHANGED = action(
    "engagement.changed",
    "changed an audit engagement",
    target="Engagement",
    activity="update",
    severity="low",
    fields=ENGAGEMENT_FIELDS,
)
WINDOW_MOVED = action(
    "engagement.window.moved",
    "moved an engagement's fieldwork window to the tenant's new time zone",
    target="Engagement",
    activity="update",
    severity="low",
    fields="ref zone opens_at closes_at",
)
ENGAGEMENT_ENDED = action(
    "engagement.ended",
    "ended an audit engagement",
    target="Engagement",
    activity="update",
    severity="low",
    fields="ref firm",
)
FILE_DOWNLOADED = action(
    "engagement.file.downloaded",
    "downloaded an engagement file",
    target="Engagement",
    activity="read",
    severity="low",
    fields="engagement page object sha256 size stamped original",
    personal="name",
)
DOWNLOAD_INTERRUPTED = action(
    "engagement.download.interrupted",
    "lost access during a file download",
    target="Engagement",
    activity="read",
    severity="medium",
    fields="engagement page object bytes",
)
MAX_PERIOD = timedelta(days=3 * 366)


class EngagementClosed(Forbidden):
    """The auditor's engagement is not open."""


# ---- Engagements


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
    shows_names: bool = False,
    is_red_team: bool = False,
) -> Engagement:
    """Create an engagement, or return the one that has the same fields and hasn't ended.

    Auditors have access from the start of `fieldwork_from` to the end of `fieldwork_to`, in the
    tenant's time zone. Raises Invalid for a wrong field.
    """
    lock_tenant("engagements")
    facts = _checked_fields(
        firm,
        framework_id,
        criteria,
        period_from,
        period_to,
        fieldwork_from,
        fieldwork_to,
        freezes_changes=freezes_changes,
        shows_names=shows_names,
    )
    facts["is_red_team"] = is_red_team
    if (same := queries.identical_engagement(facts)) is not None:
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
    record(ENGAGEMENT_CREATED, made, ref=made.ref, **_logged_fields(made))
    return made


def _next_ref() -> str:
    """Return the next ref, such as ENG-2026-01. Each year starts at 01."""
    year = clock.today().year
    taken = [
        int(ref.rsplit("-", 1)[1])
        for ref in queries.engagement_refs()
        if ref.startswith(f"ENG-{year}-")
    ]
    return f"ENG-{year}-{max(taken, default=0) + 1:02}"


def _checked_fields(
    firm: str,
    framework_id: UUID | None,
    criteria: Sequence[str],
    period_from: date,
    period_to: date,
    fieldwork_from: date,
    fieldwork_to: date,
    *,
    freezes_changes: bool,
    shows_names: bool,
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
    if fieldwork_to - fieldwork_from > MAX_PERIOD or period_to - period_from > MAX_PERIOD:
        raise Invalid(
            "The period and the fieldwork can each last up to three years.", field="fieldwork_to"
        )
    opens_at, closes_at = access_window(fieldwork_from, fieldwork_to, current.actor().time_zone)
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
        "shows_names": shows_names,
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


def _logged_fields(engagement: Engagement) -> dict[str, Any]:
    """Return the fields of an engagement as the audit log records them."""
    framework = (
        frameworks.framework_by_id(engagement.framework_id).key if engagement.framework_id else None
    )
    names = (
        "firm",
        "criteria",
        "period_from",
        "period_to",
        "fieldwork_from",
        "fieldwork_to",
        "freezes_changes",
        "shows_names",
        "is_red_team",
    )
    return {"framework": framework, **{name: getattr(engagement, name) for name in names}}


def change_engagement(
    engagement: Engagement,
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
    shows_names: bool = False,
) -> None:
    """Change an engagement. A shorter fieldwork window ends access immediately.

    Raises Stale unless `version` is the current version of the engagement.
    """
    check_not_ended(engagement)
    if version != engagement.version:
        raise Stale(
            f"{engagement.ref} was changed while you were editing. Review it, then save again."
        )
    before = _logged_fields(engagement)
    facts = _checked_fields(
        firm,
        framework_id,
        criteria,
        period_from,
        period_to,
        fieldwork_from,
        fieldwork_to,
        freezes_changes=freezes_changes,
        shows_names=shows_names,
    )
    for name, value in facts.items():
        setattr(engagement, name, value)
    after = _logged_fields(engagement)
    if after == before:
        return
    engagement.version += 1
    record(ENGAGEMENT_CHANGED, engagement, before=before, after=after, ref=engagement.ref)
    _update_invitations(engagement)
    end_expired_sessions()


def end_engagement(engagement: Engagement, *, reason: str) -> None:
    """End an engagement early. Auditors lose access immediately."""
    check_not_ended(engagement)
    if not reason.strip():
        raise Invalid("Enter a reason for ending the engagement now.", field="reason")
    engagement.ended_at = clock.now()
    record(
        ENGAGEMENT_ENDED,
        engagement,
        reason=reason.strip()[:2000],
        ref=engagement.ref,
        firm=engagement.firm,
    )
    _update_invitations(engagement)
    end_expired_sessions()


def apply_time_zone(changed: TimeZoneChanged) -> None:
    """Move the access windows of planned and open engagements to the tenant's new time zone."""
    zone = changed.time_zone
    for engagement in queries.lock_engagements_not_over(clock.now()):
        before = {"opens_at": engagement.opens_at, "closes_at": engagement.closes_at}
        opens_at, closes_at = access_window(
            engagement.fieldwork_from, engagement.fieldwork_to, zone
        )
        engagement.opens_at, engagement.closes_at = (
            opens_at.astimezone(UTC),
            closes_at.astimezone(UTC),
        )
        after = {"opens_at": engagement.opens_at, "closes_at": engagement.closes_at}
        if after == before:
            continue
        engagement.version += 1
        record(WINDOW_MOVED, engagement, before=before, after=after, ref=engagement.ref, zone=zone)
        _update_invitations(engagement)
    end_expired_sessions()


def _update_invitations(engagement: Engagement) -> None:
    """Let each open invitation expire with the last engagement that it gives access to."""
    session().flush()
    for invitation_id in auditor_queries.open_invitations(engagement.id):
        fit_invitation(members.invitation(invitation_id), how="the engagement was ended")


def fit_invitation(invitation: Invitation, *, how: str) -> None:
    until = auditor_queries.needed_until(invitation.id)
    if until is None:
        invitation_actions.withdraw_invitation(invitation, how=how)
    elif until != invitation.expires_at:
        invitation.expires_at = until


def check_not_ended(engagement: Engagement) -> None:
    if engagement.ended_at is not None:
        raise DomainError(
            f"{engagement.ref} ended on {long_day(engagement.ended_at.date())} and can no longer be"
            " changed."
        )


def check_not_over(engagement: Engagement) -> None:
    check_not_ended(engagement)
    if clock.now() >= engagement.closes_at:
        raise DomainError(
            f"The fieldwork of {engagement.ref} ended on {long_day(engagement.fieldwork_to)}. It"
            " can no longer be changed."
        )


def end_expired_sessions() -> int:
    """End the sessions of auditors without an open engagement. Return the number of auditors."""
    session().flush()
    expired = auditor_queries.auditors_without_access(clock.now())
    for person_id in expired:
        publish(AuditorAccessEnded(person_id, how="access to the engagement ended"))
    return len(expired)


# ---- Downloads


def record_download(
    engagement: Engagement,
    *,
    page: str,
    what: str,
    name: str,
    size: int,
    sha256: str | None,
    original: str | None,
) -> None:
    """Record that an auditor downloaded a file.

    `sha256` is the digest of the bytes sent. `original` is the digest before watermarking, or None
    for a file without a watermark.
    """
    record(
        FILE_DOWNLOADED,
        engagement,
        engagement=engagement.ref,
        page=page,
        object=what or None,
        sha256=sha256,
        size=size,
        stamped=original is not None,
        original=original,
        name=name,
    )


def record_interrupted_download(
    engagement: Engagement, *, page: str, what: str, octets: int
) -> None:
    """Record a download that stopped because access ended. `octets` is the number of bytes sent."""
    record(
        DOWNLOAD_INTERRUPTED,
        engagement,
        engagement=engagement.ref,
        page=page,
        object=what or None,
        bytes=octets,
    )
