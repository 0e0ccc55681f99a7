"""Changes by readers of the log: saved views, exports, and the record of page views."""

from collections.abc import Mapping

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.logbook import permissions, queries
from governance.foundation.logbook.export_writer import SUFFIXES
from governance.foundation.logbook.filters import Filters
from governance.foundation.logbook.models import LogExport, SavedView
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work
from governance.kernel.work.background_work import GeneratedFile

VIEW_SAVED = action(
    "audit.view.saved",
    "saved an audit log view",
    target="SavedView",
    activity="create",
    severity="informational",
    fields="filters",
    personal="name",
)
VIEW_DELETED = action(
    "audit.view.deleted",
    "deleted a saved audit log view",
    target="SavedView",
    activity="delete",
    severity="informational",
    personal="name",
)
PAGE_VIEWED = action(
    "tenant.page.viewed",
    "viewed a page",
    target="Tenant",
    activity="read",
    severity="informational",
    fields="page object grant",
)
MAX_NAME_LENGTH = 60


def save_view(name: str, filters: Mapping[str, str]) -> SavedView:
    """Save these filters under a name. Saved twice (a double click), it is one view."""
    name = " ".join(name.split())
    existing = queries.view_named(name)
    if existing is not None and existing.query == dict(filters):
        return existing
    _check_view(name, filters, existing)
    view = SavedView(name=name, query=dict(filters), made_by=current.person_id())
    session().add(view)
    record(VIEW_SAVED, view, filters=sorted(filters), name=name)
    return view


def _check_view(name: str, filters: Mapping[str, str], existing: SavedView | None) -> None:
    if not 1 <= len(name) <= MAX_NAME_LENGTH:
        raise Invalid(f"Give the view a name of 1 to {MAX_NAME_LENGTH} characters.", field="name")
    if not filters:
        raise Invalid("There are no filters to save. Filter the log first.")
    if existing is not None:
        raise Invalid(
            f"A view called “{name}” exists, with other filters. Choose another name.",
            field="name",
        )
    if len(queries.views()) >= queries.MAX_VIEWS:
        raise Invalid(
            f"This tenant has {queries.MAX_VIEWS} saved views, the most there can be. Delete one"
            " first."
        )


def delete_view(view: SavedView) -> None:
    record(VIEW_DELETED, view, name=view.name)
    session().delete(view)


def record_page_view(page: str, object_ids: str) -> None:
    """Record that an auditor or an operator viewed a page of the acting tenant.

    `page` is its endpoint, `object_ids` the ids or slugs in its address, empty for none.
    """
    tenant = session().get(Tenant, current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant always exists")
    support = current.actor().support
    grant = str(support.grant_id) if support else None
    record(PAGE_VIEWED, tenant, page=page, object=object_ids or None, grant=grant)


# ---- exports

EXPORT_REQUESTED = action(
    "audit.export.requested",
    "requested an audit log export",
    target="LogExport",
    activity="create",
    severity="low",
    fields="format filters",
    personal="words",
)
EXPORT_CANCELLED = action(
    "audit.export.cancelled",
    "cancelled an audit log export",
    target="LogExport",
    activity="update",
    severity="informational",
    fields="format",
)
EXPORT_GENERATED = action(
    "audit.export.generated",
    "generated an audit log export",
    target="LogExport",
    activity="update",
    severity="low",
    fields="format entries checkpoint sha256",
)
EXPORT_DOWNLOADED = action(
    "audit.export.downloaded",
    "downloaded an audit log export",
    target="LogExport",
    activity="read",
    severity="low",
    fields="format sha256",
)
MEDIA_TYPES = {
    "jsonl": "application/jsonl",
    "ocsf": "application/jsonl",
    "csv": "text/csv; charset=utf-8",
}
FORMATS = tuple(MEDIA_TYPES)
MAX_RUNNING_EXPORTS = 5


def request_export(format_: str, filters: Filters) -> LogExport:
    """Queue an export, or return the same one while it is in progress (a double click)."""
    if format_ not in FORMATS:
        raise Invalid("Choose a format: JSON Lines, OCSF or CSV.", field="format")
    background_work.lock(LogExport)
    running = background_work.under_way(LogExport, limit=MAX_RUNNING_EXPORTS)
    same = [each for each in running if (each.format, each.query) == (format_, filters.address)]
    if same:
        return same[0]
    if len(running) >= MAX_RUNNING_EXPORTS:
        raise DomainError(
            f"{MAX_RUNNING_EXPORTS} exports are in progress. Wait for one to finish, or cancel it."
        )
    return background_work.start(
        LogExport(
            format=format_,
            query=filters.address,
            requested_by=current.actor().person_id,
            work_item_id=None,
            checkpoint=None,
            entries=None,
            storage_key=None,
            sha256=None,
            size=None,
            finished_at=None,
        )
    )


def _requested(export: LogExport) -> None:
    clear = {name: value for name, value in export.query.items() if name != "q"}
    record(
        EXPORT_REQUESTED, export, format=export.format, filters=clear, words=export.query.get("q")
    )


def _renew(export: LogExport) -> None:
    """Let a retry cover the log as it is then."""
    export.checkpoint = None


def export_filename(export: LogExport) -> str:
    """Return a name such as audit-export-2026-11-25.jsonl, with the day in the tenant's time zone.

    It contains "filtered" when filters were set.
    """
    day = export.created_at.astimezone(formatting.zone()).date()
    part = "-filtered" if export.query else ""
    return f"audit-export{part}-{day}.{SUFFIXES.get(export.format, 'txt')}"


EXPORTS = background_work.WorkKind(
    name="log export",
    noun="export",
    model=LogExport,
    view=permissions.EXPORT,
    permission=permissions.EXPORT,
    find=lambda export_id: queries.export(export_id).row,
    title=export_filename,
    page=lambda export: ("log_exports.export", {"export_id": export.id}),
    address=lambda export: {"export_id": export.id},
    requested=_requested,
    cancelled=lambda export: record(EXPORT_CANCELLED, export, format=export.format),
    renew=_renew,
    requester_only=True,
    stored=LogExport.storage_key,
    max_bytes=64 * 1024**3,  # Forty million entries.
    result_label="Open export",
)


def aim_export(export: LogExport, number: int) -> None:
    """Fix the checkpoint, by number, that the export's proofs lead to.

    An export that resumes after a crash leads to the same one and writes the same bytes.
    """
    export.checkpoint = number
    session().flush()  # The entry is recorded with the file, in file_export().


def file_export(export: LogExport, blob: Blob, entries: int) -> bool:
    """Store a finished export; return False and change nothing if an earlier try did so."""
    if export.is_ready:
        return False
    export.storage_key, export.sha256, export.size, export.entries = (
        blob.key,
        blob.sha256,
        blob.size,
        entries,
    )
    export.finished_at = clock.now()
    record(
        EXPORT_GENERATED,
        export,
        format=export.format,
        entries=entries,
        checkpoint=export.checkpoint,
        sha256=blob.sha256,
    )
    return True


def download_export(export: LogExport) -> GeneratedFile:
    """Record the download, each time, and return the file."""
    if export.storage_key is None:
        raise DomainError("This export isn't ready yet.")
    record(EXPORT_DOWNLOADED, export, format=export.format, sha256=export.sha256)
    return GeneratedFile(
        export_filename(export),
        MEDIA_TYPES[export.format],
        key=export.storage_key,
        size=export.size,
    )
