"""Actions that request an archive of everything, store it, and download it."""

from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as people
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in, visiting
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import session, within
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files.storage import Blob, store
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.work import background_work, outbox
from governance.kernel.work.background_work import GeneratedFile
from governance.publishing.tenant_exports import permissions, queries
from governance.publishing.tenant_exports.archive import PREFIX
from governance.publishing.tenant_exports.models import TenantExport

REQUESTED = action(
    "tenant.export.requested",
    "requested an export of everything",
    target="TenantExport",
    activity="create",
    severity="medium",
    fields="tenant",
)
CANCELLED = action(
    "tenant.export.cancelled",
    "cancelled an export of everything",
    target="TenantExport",
    activity="update",
    severity="informational",
)
GENERATED = action(
    "tenant.export.generated",
    "generated an export of everything",
    target="TenantExport",
    activity="update",
    severity="low",
    fields="sha256 rows files",
)
DOWNLOADED = action(
    "tenant.export.downloaded",
    "downloaded an export of everything",
    target="TenantExport",
    activity="read",
    severity="medium",
    fields="tenant sha256",
)

DELETED = action(
    "tenant.export.deleted",
    "deleted an export of everything",
    target="TenantExport",
    activity="delete",
    severity="low",
    fields="sha256 why",
)


def file_name(row: TenantExport) -> str:
    day = row.created_at.astimezone(formatting.zone()).date()
    return f"{current.actor().tenant_slug}-everything-{day}.zip"


EXPORTS = background_work.WorkKind(
    name="tenant export",
    noun="export",
    model=TenantExport,
    view=permissions.EXPORT,
    permission=permissions.EXPORT,
    find=queries.export,
    title=file_name,
    page=lambda _row: ("tenant_exports.index", {}),
    address=lambda row: {"tenant_export_id": row.id},
    requested=lambda row: record(REQUESTED, row),
    cancelled=lambda row: record(CANCELLED, row),
    stored=TenantExport.storage_key,
    prefix=PREFIX,
    max_bytes=1024**4,
    icon="package",
    result_label="Open export",
)


def request_export() -> TenantExport:
    """Queue an archive, or return the one under way (a double click)."""
    background_work.lock(TenantExport)
    if running := background_work.under_way(TenantExport):
        return running[0]
    made = TenantExport(requested_by=current.actor().person_id, work_item_id=None)
    return background_work.start(made)


def start_for(tenant: Tenant, *, reason: str) -> None:
    """Start an export as an operator, for the tenant's admins. The operator can't download it."""
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in both audit logs.", field="reason")
    if tenant.kind == "operator":
        raise DomainError("This is the operator's own tenant: start it in Settings.")
    with within(visiting(current.actor(), tenant)):
        made = request_export()
        record(REQUESTED, made, tenant=tenant.slug, reason=reason.strip())
    record(REQUESTED, made, tenant=tenant.slug, reason=reason.strip())


def keep(row: TenantExport, blob: Blob, contents: dict[str, Any]) -> bool:
    """Name the stored archive in its row. Return False if an earlier try did."""
    if row.is_ready:
        return False
    row.storage_key, row.sha256, row.size = blob.key, blob.sha256, blob.size
    row.contents, row.finished_at = contents, clock.now()
    record(GENERATED, row, sha256=blob.sha256, rows=contents["rows"], files=contents["files"])
    for member in people.members():
        if member.role == "admin":
            outbox.send_mail(
                member.email,
                "The export of everything is ready",
                f"The archive of {current.actor().tenant_name} is in Settings, Export. If the"
                " operator has suspended the tenant, sign in from the page that says so.\n",
            )
    return True


def suspended_tenant() -> Tenant | None:
    """Return the acting tenant if the operator has suspended it, or None."""
    found = tenants.tenant_by_id(current.actor().tenant_id)
    return found if found is not None and found.status != "active" else None


def download(row: TenantExport) -> GeneratedFile:
    """Record each download, and return the file.

    While the tenant is suspended, both logs record it: nothing else leaves the tenant then.
    """
    if row.storage_key is None:
        raise DomainError("This export isn't ready yet.")
    record(DOWNLOADED, row, sha256=row.sha256)
    if (tenant := suspended_tenant()) is not None:
        _tell_operator(row, tenant)
    return GeneratedFile(
        file_name(row),
        "application/zip",
        key=row.storage_key,
        size=row.size,
        sha256=row.sha256,
    )


def _tell_operator(row: TenantExport, tenant: Tenant) -> None:
    """Record the download in the operator's log without a person: operators don't know the
    tenant's.
    """
    home = tenants.any_tenant_by_slug(OPERATOR_SLUG)
    if home is not None:
        with within(system_actor_in(home.id, home.slug, home.name)):
            record(DOWNLOADED, row, tenant=tenant.slug, sha256=row.sha256)


def delete_archives(erased: PersonErased) -> None:
    """Delete every archive, as each may name the person, and stop those under way.

    An admin can export everything again.
    """
    deleted = 0
    for run in queries.all_runs():
        if (key := run.row.storage_key) is not None:
            store().remove(key)
            record(DELETED, run.row, sha256=run.row.sha256, why="it may name an erased person")
            session().delete(run.row)
            deleted += 1
        elif not run.is_over:
            background_work.cancel(run)
    erased.removed["exports of everything"] = deleted
