"""Show one person the name behind a pseudonym for an hour."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as directory
from governance.foundation.people.models import Membership
from governance.foundation.privacy import queries
from governance.foundation.privacy.models import Unmasking
from governance.foundation.privacy.queries import UNMASKING
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid

UNMASKING_REQUESTED = action(
    "unmasking.requested",
    "requested the name behind a pseudonym",
    target="Unmasking",
    activity="create",
    severity="medium",
    fields="subject",
)
UNMASKING_APPROVED = action(
    "unmasking.approved",
    "approved revealing the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="medium",
    fields="subject until",
)
UNMASKING_REJECTED = action(
    "unmasking.rejected",
    "rejected a request for the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="low",
    fields="subject",
)
UNMASKING_WITHDRAWN = action(
    "unmasking.withdrawn",
    "withdrew a request for the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="low",
    fields="subject",
)
UNMASKING_VIEWED = action(
    "unmasking.viewed",
    "viewed the name behind a pseudonym",
    target="Unmasking",
    activity="read",
    severity="medium",
    fields="subject",
)
UNMASKING_LIFETIME = timedelta(hours=1)


def request_unmasking(pseudonym: str, reason: str) -> Approval:
    """Request the name behind a pseudonym. Idempotent while the first request is open."""
    membership = directory.by_pseudonym(pseudonym.strip())
    if membership is None:
        raise Invalid(
            "No one in this tenant has that pseudonym. Copy its 32 letters and digits from an audit"
            " log entry.",
            field="subject",
        )
    session().refresh(membership, with_for_update={"of": Membership})
    if (there := queries.my_open_unmasking(membership.pseudonym)) is not None:
        return there
    asked = Unmasking(
        subject=membership.pseudonym, requested_by=current.person_id(), until=None, used_at=None
    )
    session().add(asked)
    session().flush()
    summary = f"see the name behind {short_pseudonym(asked.subject)}"
    return approvals.request(
        UNMASKING, asked.id, summary=summary, reason=reason, about=membership.person_id
    )


def show_name(asked: Unmasking, *, at: datetime) -> None:
    """Show the requester the name for an hour from the approval on."""
    asked.until = at + UNMASKING_LIFETIME
    record(UNMASKING_APPROVED, asked, subject=asked.subject, until=asked.until)


def end_unmasking(asked: Unmasking) -> None:
    """End it, since the requester no longer needs the name. It tightens, so one person does."""
    if current.person_id() != asked.requested_by:
        raise Forbidden("Only the person who requested this can end it.")
    if asked.until is None or asked.until <= clock.now():
        raise DomainError("This name is no longer shown.")
    asked.until = clock.now()
    record(UNMASKING_WITHDRAWN, asked, subject=asked.subject)


def record_viewed_names(subjects: Collection[str]) -> None:
    """Record that the acting person viewed these names, once for each approval."""
    for shown in queries.unused(subjects):
        shown.used_at = clock.now()
        record(UNMASKING_VIEWED, shown, subject=shown.subject)


def person_behind(pseudonym: str | None) -> UUID | None:
    membership = directory.by_pseudonym(pseudonym) if pseudonym else None
    return membership.person_id if membership else None


def subject_of(asked: Unmasking) -> UUID | None:
    """Return the person whose name is requested."""
    return person_behind(asked.subject)


def short_pseudonym(subject: str) -> str:
    """Return the pseudonym as pages show it."""
    return f"p-{subject[:4]}-{subject[4:8]}"
