"""Reads of grants, in the tenant that gives them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.support_access.models import SupportGrant
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.manifest import installed

MAX_LISTED = 50


def grant(grant_id: UUID, *, lock: bool = False) -> SupportGrant:
    return find(SupportGrant, grant_id, what="support access", lock=lock)


def newest(*, limit: int = MAX_LISTED) -> Sequence[SupportGrant]:
    query = select(SupportGrant).order_by(SupportGrant.created_at.desc(), SupportGrant.id.desc())
    return session().scalars(query.limit(limit)).all()


def open_request(person_id: UUID) -> SupportGrant | None:
    """Return the operator's request that nobody has decided yet."""
    query = select(SupportGrant).where(
        SupportGrant.person_id == person_id, SupportGrant.state == "requested"
    )
    return session().scalars(query).first()


def usable_grant(person_id: UUID, *, lock: bool = False) -> SupportGrant | None:
    """Return the grant of this operator that works now, the one that lasts longest.

    A lock keeps it unchanged until the transaction ends: an admin who ends it waits for a change in
    progress, and the next change is denied.
    """
    query = (
        select(SupportGrant)
        .where(
            SupportGrant.person_id == person_id,
            SupportGrant.state == "approved",
            SupportGrant.ends_at > clock.now(),
        )
        .order_by(SupportGrant.ends_at.desc())
        .limit(1)
    )
    query = query.with_for_update(read=True) if lock else query
    return session().scalars(query, execution_options={"populate_existing": True}).one_or_none()


def past_grant(person_id: UUID) -> SupportGrant | None:
    """Return the newest grant of this operator that worked once."""
    query = select(SupportGrant).where(
        SupportGrant.person_id == person_id, SupportGrant.state.in_(("approved", "ended"))
    )
    return session().scalars(query.order_by(SupportGrant.ends_at.desc()).limit(1)).one_or_none()


def pages_viewed(grants: Collection[SupportGrant]) -> Mapping[UUID, int]:
    """Count the reads that the log has of each grant, in one statement."""
    ids = [str(each.id) for each in grants]
    of_grant = AuditEntry.facts["grant"].astext
    query = select(of_grant, func.count()).where(
        AuditEntry.actor.in_({each.pseudonym for each in grants}), of_grant.in_(ids)
    )
    return {UUID(row[0]): row[1] for row in session().execute(query.group_by(of_grant))}


def operator_names(pseudonyms: Collection[str]) -> dict[str, str]:
    """Return names of operators who had access, by their pseudonym in this tenant's log."""
    query = select(SupportGrant.pseudonym, SupportGrant.name)
    query = query.where(SupportGrant.pseudonym.in_(pseudonyms))
    return {row.pseudonym: f"{row.name} (operator)" for row in session().execute(query)}


def feature_labels(role: str) -> dict[str, str]:
    """Return the features that a grant can be limited to, as that role's navigation names them."""
    return {
        each.name: item.label
        for each in installed()
        for item in each.navigation
        if item.audience == "tenant" and role in item.permission.roles
    }
