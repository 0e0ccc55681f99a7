"""Helpers that write and sequence entries, and read the log."""

from sqlalchemy import select

from governance.foundation.audit import sequencer
from governance.foundation.audit.models import AuditEntry, Leaf
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session

CHANGED = registry["tenant.settings.changed"]


def write_entries(acting, count, tenant="acme"):
    """Write `count` entries to the log of that tenant."""
    with acting("admin", tenant) as who:
        target = session().get(Tenant, who.tenant_id)
        return [
            record(CHANGED, target, before={"name": "A"}, after={"name": f"A{number}"}).id
            for number in range(count)
        ]


def sequence_entries(acting, tenant="acme", **options):
    """Sequence all pending entries of that tenant's log."""
    taken = 0
    with acting("admin", tenant):
        while more := sequencer.sequence(**options):
            taken += more
    return taken


def entry_bodies(acting, tenant="acme"):
    """Return the entries of the log as they were hashed, by place."""
    with acting("admin", tenant):
        query = select(AuditEntry.body).join(
            Leaf, (Leaf.tenant_id == AuditEntry.tenant_id) & (Leaf.id == AuditEntry.id)
        )
        return list(session().scalars(query.order_by(Leaf.index)))
