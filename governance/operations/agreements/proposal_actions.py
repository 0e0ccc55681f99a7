"""Propose a version to both sides, return it to draft, or withdraw it.

propose                   freezes the terms, so both sides see the same fingerprint
return_to_draft           by either side; voids earlier acceptances
withdraw                  by the side that drafted it
"""

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Forbidden, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.agreements import measured, permissions, queries
from governance.operations.agreements.models import AgreementVersion
from governance.operations.agreements.terms import fingerprint_of, instant, terms_of
from governance.operations.agreements.version_checks import (
    LOCK,
    MAX_REASON_LENGTH,
    VERSION,
    check_effective,
    check_not_ended,
    check_open,
    check_own_draft,
    check_unedited,
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


def propose(version: AgreementVersion, *, seen: int) -> None:
    """Freeze the terms and ask both sides to accept. Raises Invalid if they can't take effect."""
    require(permissions.EDIT)
    lock_tenant(LOCK)
    session().refresh(version, with_for_update=True)
    check_own_draft(version)
    check_unedited(version, seen)
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


def return_to_draft(version: AgreementVersion, *, reason: str, seen: str) -> None:
    """Reopen a proposal for editing, by either side. Earlier acceptances become void."""
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
    version.proposed_by = version.proposed_at = None  # Only its own side sees it again.
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


def withdraw(version: AgreementVersion, *, seen: int) -> None:
    """Withdraw a draft or a proposal. Its number isn't used again."""
    require(permissions.EDIT)
    session().refresh(version, with_for_update=True)
    check_open(version)
    check_unedited(version, seen)
    if queries.acting_side() not in {version.side, None}:
        raise Forbidden("Only the side that drafted this version can withdraw it.")
    _void_acceptances(version)
    version.state = "withdrawn"
    agreement = queries.agreement(version.agreement_id)
    record(WITHDRAWN, version, ref=agreement.ref, version=version.number, side=version.side)


def _void_acceptances(version: AgreementVersion) -> int:
    given = queries.acceptances([version.id])[version.id]
    for each in given:
        session().delete(each)
    session().flush()
    return len(given)
