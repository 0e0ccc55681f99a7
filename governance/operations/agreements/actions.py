"""Draft and end agreements; proposal_actions.py proposes a draft, acceptance_actions.py accepts it.

create, draft_next        a first version, and the next one as a copy of an earlier
save_draft                replaces all terms of a draft; a concurrent edit raises Stale
end                       ends all commitments at an instant
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.agreements import measured, permissions, queries
from governance.operations.agreements.drafts import FIELDS, Content, check_content, content_of
from governance.operations.agreements.models import (
    FROM_VENDOR,
    TO_TENANT,
    Agreement,
    AgreementVersion,
    Commitment,
    SupportTerm,
)
from governance.operations.agreements.terms import instant
from governance.operations.agreements.version_checks import (
    LOCK,
    MAX_NAME_LENGTH,
    MAX_REASON_LENGTH,
    VERSION,
    check_month_open,
    check_not_ended,
    check_own_draft,
    checked_text,
)

CREATED = action(
    "agreement.created",
    "created the agreement",
    target="Agreement",
    activity="create",
    severity="low",
    fields="ref name direction counterparty",
)
DRAFTED = action(
    "agreement.version.drafted",
    "drafted an agreement version",
    target=VERSION,
    activity="create",
    severity="informational",
    fields="ref version side",
)
EDITED = action(
    "agreement.version.edited",
    "edited an agreement draft",
    target=VERSION,
    activity="update",
    severity="informational",
    fields="ref version edited",
)
ENDED = action(
    "agreement.ended",
    "ended the agreement",
    target="Agreement",
    activity="update",
    severity="medium",
    fields="ref ended_at",
    shape="down",
)


def create(
    name: str, content: Content, *, direction: str = TO_TENANT, counterparty: str = "", reason: str
) -> AgreementVersion:
    """Create an agreement with its first draft; returns the draft.

    The counterparty of an agreement to a tenant is that tenant. A vendor has the same name as in
    indicators. Raises Forbidden for a vendor agreement outside the operator's tenant.
    """
    require(permissions.EDIT)
    side = queries.acting_side() or "provider"
    if direction == FROM_VENDOR and side != "provider":
        raise Forbidden("Only the operator keeps agreements with vendors.")
    lock_tenant(LOCK)
    row = Agreement(
        direction=direction,
        number=queries.next_number(direction),
        name=checked_text(
            name, "name", "Enter a name, such as the service it covers.", MAX_NAME_LENGTH
        ),
        counterparty=checked_text(
            counterparty or current.actor().tenant_name,
            "counterparty",
            "Enter the vendor as your indicators name it.",
            MAX_NAME_LENGTH,
        ),
        created_by=current.actor().person_id,
    )
    session().add(row)
    record(
        CREATED,
        row,
        ref=row.ref,
        name=row.name,
        direction=direction,
        counterparty=row.counterparty,
    )
    return _add_version(row, content, number=1, side=side, reason=reason)


def draft_next(agreement: Agreement, base: AgreementVersion, *, reason: str) -> AgreementVersion:
    """Copy a version as the next draft. Raises DomainError while another one is open."""
    require(permissions.EDIT)
    lock_tenant(LOCK)
    check_not_ended(agreement)
    if queries.open_version(agreement.id) is not None:
        raise DomainError(
            "This agreement has an open draft already. Edit that one, or withdraw it first."
        )
    highest = session().scalar(
        select(func.max(AgreementVersion.number)).where(
            AgreementVersion.agreement_id == agreement.id
        )
    )
    is_vendor = agreement.direction == FROM_VENDOR
    content = content_of(base, queries.parts(base.id), is_vendor=is_vendor)
    return _add_version(
        agreement,
        content,
        number=(highest or 0) + 1,
        side=queries.acting_side() or "provider",
        reason=reason,
    )


def _add_version(
    agreement: Agreement, content: Content, *, number: int, side: str, reason: str
) -> AgreementVersion:
    check_content(content)
    row = AgreementVersion(
        agreement_id=agreement.id,
        number=number,
        state="draft",
        side=side,
        reason=reason.strip()[:MAX_REASON_LENGTH],
        drafted_by=current.actor().person_id,
        terms=None,
        **_columns(content),
    )
    session().add(row)
    session().flush()
    _write_parts(row, agreement, content)
    record(DRAFTED, row, ref=agreement.ref, version=number, side=side, reason=row.reason)
    return row


def save_draft(
    version: AgreementVersion, content: Content, *, seen: int, reason: str
) -> AgreementVersion:
    """Replace the terms of a draft. Raises Stale when it was edited since `seen`."""
    require(permissions.EDIT)
    agreement = queries.agreement(version.agreement_id)
    session().refresh(version, with_for_update=True)
    check_own_draft(version)
    if seen != version.edited:
        raise Stale(
            "Someone else edited this draft while you did. Review it as it is now, then save again."
        )
    check_content(content)
    _check_currency(agreement, content)
    for name, value in _columns(content).items():
        setattr(version, name, value)
    version.edited += 1
    version.reason = reason.strip()[:MAX_REASON_LENGTH]
    session().execute(delete(Commitment).where(Commitment.version_id == version.id))
    session().execute(delete(SupportTerm).where(SupportTerm.version_id == version.id))
    _write_parts(version, agreement, content)
    record(EDITED, version, ref=agreement.ref, version=version.number, edited=version.edited)
    return version


def _columns(content: Content) -> dict[str, Any]:
    return {
        **{name: getattr(content, name) for name in FIELDS},
        "excluded_categories": sorted(content.excluded_categories),
    }


def _write_parts(version: AgreementVersion, agreement: Agreement, content: Content) -> None:
    if agreement.direction == TO_TENANT:
        measured.check_known(content)
    session().add_all(
        Commitment(
            version_id=version.id,
            clause=clause,
            objective_id=each.objective_id,
            indicator_id=each.indicator_id,
            vendor_kind=each.vendor_kind,
            target=each.target,
            bands=each.bands,
            fee_part=each.fee_part,
        )
        for clause, each in enumerate(content.commitments, 1)
    )
    session().add_all(
        SupportTerm(
            version_id=version.id,
            severity=each.severity,
            response_minutes=each.response_minutes,
            resolution_minutes=each.resolution_minutes,
            clock=each.clock,
            target=each.target,
            bands=each.bands,
            fee_part=each.fee_part,
        )
        for each in content.support
    )
    session().flush()


def end(agreement: Agreement, *, at: datetime, reason: str) -> None:
    """End the agreement at an instant. A closed month never changes."""
    require(permissions.ACCEPT)
    lock_tenant(LOCK)
    session().refresh(agreement, with_for_update=True)
    if agreement.ended_at is not None and agreement.ended_at <= clock.now():
        raise Stale("This agreement has ended already.")
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    check_month_open(at, "on", "Choose a later end.")
    agreement.ended_at, agreement.ended_by = at, current.actor().person_id
    agreement.end_reason = reason.strip()[:MAX_REASON_LENGTH]
    record(ENDED, agreement, ref=agreement.ref, ended_at=instant(at), reason=agreement.end_reason)


def _check_currency(agreement: Agreement, content: Content) -> None:
    accepted = queries.accepted_versions([agreement.id])[agreement.id]
    if accepted and accepted[-1].currency != content.currency:
        raise Invalid(
            f"This agreement is in {accepted[-1].currency}. End it and create another one to change"
            " the currency.",
            field="currency",
        )
