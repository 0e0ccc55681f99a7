"""Accept a proposed version: one person per side, bound to the terms they saw.

accept                    for the acting person's side
record_vendor_signature   a vendor signs on paper; an operator records it, another one accepts
"""

from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Forbidden, Stale
from governance.kernel.safety.access import require
from governance.operations.agreements import permissions, queries
from governance.operations.agreements.models import (
    FROM_VENDOR,
    Acceptance,
    Agreement,
    AgreementVersion,
)
from governance.operations.agreements.terms import instant
from governance.operations.agreements.version_checks import (
    LOCK,
    MAX_NAME_LENGTH,
    VERSION,
    check_effective,
    check_not_ended,
    checked_text,
)

ACCEPTED = action(
    "agreement.version.accepted",
    "accepted an agreement version",
    target=VERSION,
    activity="update",
    severity="medium",
    fields="ref version side fingerprint in_force effective_from",
    personal="name",
    shape="ok",
)
SIGNATURE = action(
    "agreement.version.signature_recorded",
    "recorded a vendor's signature",
    target=VERSION,
    activity="update",
    severity="medium",
    fields="ref version fingerprint document",
    personal="name",
)


def accept(version: AgreementVersion, *, seen: str, title: str = "") -> bool:
    """Accept exactly the terms with the fingerprint `seen`, for the acting person's side.

    Returns True when both sides have accepted, so the version is in force. Raises Stale when the
    terms changed since the person saw them, Forbidden when the person already accepted for the
    other side.
    """
    side = _require_acceptor(version)
    lock_tenant(LOCK)
    _check_acceptable(version, seen)
    given = {each.side: each for each in queries.acceptances([version.id])[version.id]}
    if side in given:
        raise Stale(f"{given[side].name} accepted this version for your side already.")
    if any(each.accepted_by == current.person_id() for each in given.values()):
        raise Forbidden(
            "You recorded the vendor's signature, so another operator accepts for your side."
        )
    return _add_acceptance(version, side, current.actor().name, title=title)


def record_vendor_signature(
    version: AgreementVersion, *, seen: str, name: str, title: str, document: str
) -> bool:
    """Record a vendor's signature; another operator must accept it.

    `name` and `title` are those of the signer, `document` says where the signed copy is.
    """
    require(permissions.ACCEPT)
    agreement = queries.agreement(version.agreement_id)
    if agreement.direction != FROM_VENDOR or queries.acting_side() != "provider":
        raise Forbidden("Only the operator records a vendor's signature.")
    lock_tenant(LOCK)
    _check_acceptable(version, seen)
    who = checked_text(name, "name", "Enter who signed for the vendor.", MAX_NAME_LENGTH)
    where = checked_text(document, "document", "Say where the signed copy is.", 500)
    given = {each.side: each for each in queries.acceptances([version.id])[version.id]}
    if "vendor" in given:
        raise Stale(f"The signature of {given['vendor'].name} is recorded already.")
    if any(each.accepted_by == current.person_id() for each in given.values()):
        raise Forbidden(
            "You accepted this version for your side, so another operator records the signature."
        )
    return _add_acceptance(version, "vendor", who, title=title, document=where)


def _require_acceptor(version: AgreementVersion) -> str:
    """Return the side that the acting person accepts for.

    Raises Forbidden if they may not accept.
    """
    require(permissions.ACCEPT)
    side = queries.acting_side()
    agreement = queries.agreement(version.agreement_id)
    if side is None:
        raise Forbidden("An agreement is accepted by people.")
    if agreement.direction == FROM_VENDOR:
        return "customer"  # The operator is the vendor's customer.
    return side


def _check_acceptable(version: AgreementVersion, seen: str) -> None:
    session().refresh(version, with_for_update=True)
    if version.state != "proposed":
        raise Stale("This version is no longer proposed. Nothing was changed.")
    if seen != version.fingerprint:
        raise Stale(
            "The terms have changed since you opened this page. Review them as they are now, then"
            " accept again."
        )
    agreement = queries.agreement(version.agreement_id)
    check_not_ended(agreement)
    check_effective(agreement, version.effective_from)


def _add_acceptance(
    version: AgreementVersion, side: str, name: str, *, title: str, document: str = ""
) -> bool:
    agreement = queries.agreement(version.agreement_id)
    session().add(
        Acceptance(
            version_id=version.id,
            side=side,
            accepted_by=current.actor().person_id,
            name=name,
            title=title.strip()[:MAX_NAME_LENGTH],
            document=document,
            fingerprint=version.fingerprint,
            accepted_at=clock.now(),
        )
    )
    session().flush()
    sides = {each.side for each in queries.acceptances([version.id])[version.id]}
    in_force = sides >= needed_sides(agreement)
    if in_force:
        version.state, version.accepted_at = "accepted", clock.now()
    facts: dict[str, Any] = {
        "ref": agreement.ref,
        "version": version.number,
        "fingerprint": version.fingerprint,
    }
    if side == "vendor":
        record(SIGNATURE, version, **facts, document=document, name=name)
    else:
        starts = instant(version.effective_from)
        record(
            ACCEPTED,
            version,
            **facts,
            side=side,
            in_force=in_force,
            effective_from=starts,
            name=name,
        )
    return in_force


def needed_sides(agreement: Agreement) -> set[str]:
    """Return the two sides that must accept: provider and customer, or vendor and customer."""
    return (
        {"vendor", "customer"} if agreement.direction == FROM_VENDOR else {"provider", "customer"}
    )
