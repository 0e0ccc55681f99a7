"""Helpers for the tests of the operator's desk."""

from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import current
from governance.kernel.data.db import transaction
from tests import make

DESK = "/operator/tenants"


def entries(action: str, slug: str = "acme") -> list[AuditEntry]:
    """Return a tenant's entries of that action, oldest first."""
    with current.acting_as(make.system_actor(slug)), transaction(read_only=True) as work:
        query = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        found = list(work.scalars(query))
        work.expunge_all()
        return found
