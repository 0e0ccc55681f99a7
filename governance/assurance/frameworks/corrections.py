"""Record corrections of installed catalogues in the operator's audit log."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.frameworks.models import Framework, FrameworkRevision
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel.data.db import session, transaction, within
from governance.kernel.web.identity import OPERATOR_SLUG

CORRECTED = action(
    "framework.corrected",
    "corrected the words of a framework",
    target="FrameworkRevision",
    activity="update",
    severity="low",
    fields="key number digest texts",
    shape="ok",
)


def record_corrections() -> int:
    """Record each correction that the operator's log doesn't have yet. Return their number.

    The database owner installs the words in a separate transaction. If that process ends before
    the entry is written, the next `governance migrate` writes it.
    """
    with transaction():
        home = any_tenant_by_slug(OPERATOR_SLUG)
        if home is None:
            return 0
        with within(system_actor_in(home.id, home.slug, home.name)):
            revisions = _unrecorded()
            for revision, key in revisions:
                record(
                    CORRECTED,
                    revision,
                    key=key,
                    number=revision.number,
                    digest=revision.digest,
                    texts=len(revision.changed),
                )
            return len(revisions)


def _unrecorded() -> list[tuple[FrameworkRevision, str]]:
    query = (
        select(FrameworkRevision, Framework.key)
        .join(Framework, Framework.id == FrameworkRevision.framework_id)
        .where(FrameworkRevision.number > 1)
        .order_by(FrameworkRevision.installed_at, FrameworkRevision.number)
    )
    rows = [(revision, key) for revision, key in session().execute(query)]
    recorded: set[UUID] = set(
        session().scalars(
            select(AuditEntry.target_id).where(
                AuditEntry.action == CORRECTED.name,
                AuditEntry.target_id.in_([revision.id for revision, _ in rows]),
            )
        )
    )
    return [(revision, key) for revision, key in rows if revision.id not in recorded]
