"""Draft, propose and end agreements; acceptance_actions.py puts a proposal in force.

create, draft_next        a first version, and the next one as a copy of an earlier
save_draft                replaces all terms of a draft; the one who saves later is told
propose                   freezes the terms: from then on both sides see one fingerprint
return_to_draft           either side: acceptances given so far are void
withdraw                  the side that drafted it gives it up
end                       from an instant on, nothing is promised
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.access import require
from governance.kernel.db import lock_tenant, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.months import month_span
from governance.operations.agreements import measured, permissions, ports, queries
from governance.operations.agreements.drafts import FIELDS, Content, check_content, content_of
from governance.operations.agreements.models import (
    FROM_VENDOR,
    TO_TENANT,
    Agreement,
    AgreementVersion,
    Commitment,
    SupportTerm,
)
from governance.operations.agreements.terms import fingerprint_of, instant, terms_of

MAX_NAME_LENGTH, MAX_REASON_LENGTH, MAX_CONTACTS = 120, 2000, 20
LOCK = "agreements"
VERSION = "AgreementVersion"


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
PROPOSED = action(
    "agreement.version.proposed",
    "proposed an agreement version",
    target=VERSION,
    activity="update",
    severity="low",
    fields="ref version side effective_from fingerprint",
)
RETURNED = action(
    "agreement.version.returned",
    "returned an agreement version to draft",
    target=VERSION,
    activity="update",
    severity="low",
    fields="ref version side voided",
)
WITHDRAWN = action(
    "agreement.version.withdrawn",
    "withdrew an agreement version",
    target=VERSION,
    activity="delete",
    severity="low",
    fields="ref version side",
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

    The counterparty of an agreement to a tenant is that tenant. A vendor's is named as indicators
    name it. Raises Forbidden for a vendor agreement outside the operator's tenant.
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
    _check_own_draft(version)
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


def withdraw(version: AgreementVersion, *, seen: int) -> None:
    """Give a draft or a proposal up; its number isn't used again."""
    require(permissions.EDIT)
    session().refresh(version, with_for_update=True)
    _check_open(version)
    _check_seen(version, seen)
    if queries.acting_side() not in {version.side, None}:
        raise Forbidden("Only the side that drafted this version can withdraw it.")
    _void_acceptances(version)
    version.state = "withdrawn"
    agreement = queries.agreement(version.agreement_id)
    record(WITHDRAWN, version, ref=agreement.ref, version=version.number, side=version.side)


def propose(version: AgreementVersion, *, seen: int) -> None:
    """Freeze the terms and ask both sides. Raises Invalid where they can't take effect."""
    require(permissions.EDIT)
    lock_tenant(LOCK)
    session().refresh(version, with_for_update=True)
    _check_own_draft(version)
    _check_seen(version, seen)
    agreement = queries.agreement(version.agreement_id)
    check_not_ended(agreement)
    parts = queries.parts(version.id)
    if not parts.commitments and not parts.support:
        raise Invalid("Add a commitment or a support time. An empty agreement promises nothing.")
    check_effective(agreement, version.effective_from)
    version.terms = terms_of(
        agreement, version, parts.commitments, parts.support, measured.names(parts.commitments)
    )
    version.fingerprint = fingerprint_of(version.terms)
    version.state = "proposed"
    version.proposed_by, version.proposed_at = current.actor().person_id, clock.now()
    record(
        PROPOSED,
        version,
        ref=agreement.ref,
        version=version.number,
        side=version.side,
        effective_from=instant(version.effective_from),
        fingerprint=version.fingerprint,
        reason=version.reason,
    )


def check_effective(agreement: Agreement, at: datetime) -> None:
    """Raise Invalid unless a version may take effect then: in no closed month, after the others."""
    closed = ports.last_closed_month()()
    if closed is not None and at < month_span(zone_periods(), closed).end:
        raise Invalid(
            f"{closed} is closed, and a closed month never changes. Choose a later effective date.",
            field="effective_from",
        )
    earlier = queries.accepted_versions([agreement.id])[agreement.id]
    if earlier and at <= earlier[-1].effective_from:
        raise Invalid(
            f"Version {earlier[-1].number} takes effect on"
            f" {instant(earlier[-1].effective_from)[:10]}. Choose a later date.",
            field="effective_from",
        )
    if agreement.ended_at is not None and at >= agreement.ended_at:
        raise Invalid("The agreement ends before that date.", field="effective_from")


def return_to_draft(version: AgreementVersion, *, reason: str, seen: str) -> None:
    """Open a proposal for editing again, by either side; acceptances given so far are void."""
    require(permissions.EDIT)
    lock_tenant(LOCK)
    session().refresh(version, with_for_update=True)
    if version.state != "proposed":
        raise Stale("This version is no longer proposed. Nothing was changed.")
    if seen != version.fingerprint:
        raise Stale("This version was proposed again since you opened it. Review it first.")
    if not reason.strip():
        raise Invalid("Say what has to change. The other side reads it.", field="reason")
    voided = _void_acceptances(version)
    version.state, version.terms, version.fingerprint = "draft", None, ""
    version.proposed_by = version.proposed_at = None  # it is its own side's alone again
    version.edited += 1
    agreement = queries.agreement(version.agreement_id)
    record(
        RETURNED,
        version,
        ref=agreement.ref,
        version=version.number,
        side=queries.acting_side() or "meridian",
        voided=voided,
        reason=reason.strip()[:MAX_REASON_LENGTH],
    )


def _void_acceptances(version: AgreementVersion) -> int:
    given = queries.acceptances([version.id])[version.id]
    for each in given:
        session().delete(each)
    session().flush()
    return len(given)


def end(agreement: Agreement, *, at: datetime, reason: str) -> None:
    """End the agreement from an instant on. A closed month never changes."""
    require(permissions.ACCEPT)
    lock_tenant(LOCK)
    session().refresh(agreement, with_for_update=True)
    if agreement.ended_at is not None and agreement.ended_at <= clock.now():
        raise Stale("This agreement has ended already.")
    if not reason.strip():
        raise Invalid("Give a reason. It is kept in the audit log.", field="reason")
    closed = ports.last_closed_month()()
    if closed is not None and at < month_span(zone_periods(), closed).end:
        raise Invalid(
            f"{closed} is closed, and a closed month never changes. Choose a later end.", field="on"
        )
    agreement.ended_at, agreement.ended_by = at, current.actor().person_id
    agreement.end_reason = reason.strip()[:MAX_REASON_LENGTH]
    record(ENDED, agreement, ref=agreement.ref, ended_at=instant(at), reason=agreement.end_reason)


def checked_text(text: str, field: str, ask: str, limit: int) -> str:
    kept = " ".join(text.split())
    if not kept:
        raise Invalid(ask, field=field)
    if len(kept) > limit:
        raise Invalid(f"Use up to {limit} characters.", field=field)
    return kept


def _check_open(version: AgreementVersion) -> None:
    if version.state not in {"draft", "proposed"}:
        raise Stale(f"This version is {version.state} and never changes. Draft the next one.")


def _check_own_draft(version: AgreementVersion) -> None:
    _check_open(version)
    if version.state != "draft":
        raise Stale("This version was proposed. Return it to draft before you edit it.")
    if queries.acting_side() not in {version.side, None}:
        raise Forbidden("The other side drafts this version.")


def _check_seen(version: AgreementVersion, seen: int) -> None:
    if seen != version.edited:
        raise Stale("Someone else edited this draft. Review it as it is now, then try again.")


def check_not_ended(agreement: Agreement) -> None:
    if agreement.ended_at is not None and agreement.ended_at <= clock.now():
        raise DomainError("This agreement has ended. Create another one.")


def _check_currency(agreement: Agreement, content: Content) -> None:
    accepted = queries.accepted_versions([agreement.id])[agreement.id]
    if accepted and accepted[-1].currency != content.currency:
        raise Invalid(
            f"This agreement is in {accepted[-1].currency}. End it and create another one to change"
            " the currency.",
            field="currency",
        )
