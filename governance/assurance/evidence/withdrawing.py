"""Withdraw versions that Meridian uploaded if their source turns out to be invalid."""

from governance.assurance.evidence import version_queries
from governance.assurance.evidence.models import EvidenceVersion, EvidenceWithdrawal
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden

WITHDRAWN = action(
    "evidence.version.withdrawn",
    "withdrew an evidence version",
    target="EvidenceVersion",
    activity="update",
    severity="medium",
    fields="number sha256",
    shape="stop",
)


def withdraw(version: EvidenceVersion, *, reason: str) -> None:
    """Withdraw a version, so that it no longer counts, whether or not it was reviewed. Idempotent.

    Only Meridian can withdraw. The version, its file and its review are kept.
    """
    if current.actor().kind == "person":
        raise Forbidden("Only Meridian withdraws what it filed.")
    if version_queries.withdrawal_of(version) is not None:
        return
    session().add(EvidenceWithdrawal(version_id=version.id, reason=reason, created_at=clock.now()))
    session().flush()
    record(WITHDRAWN, version, reason=reason, number=version.number, sha256=version.sha256)
