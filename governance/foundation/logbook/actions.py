"""What readers of the log do: keep views of it for each other; and what is noted of the reading
itself; exports of it.
"""

from collections.abc import Mapping

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.logbook import permissions, queries
from governance.foundation.logbook.export_writer import SUFFIXES
from governance.foundation.logbook.filters import Filters
from governance.foundation.logbook.models import LogExport, SavedView
from governance.foundation.tenants.models import Tenant
from governance.kernel import background_work, clock, current, formatting
from governance.kernel.background_work import GeneratedFile
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.storage import Blob

VIEW_SAVED = action(
    "audit.view.saved",
    "saved an audit log view",
    target="SavedView",
    activity="create",
    severity="informational",
    fields="filters",
    personal="name",
)
VIEW_REMOVED = action(
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
    fields="page object",
)
LONGEST_NAME = 60


def save_view(name: str, filters: Mapping[str, str]) -> SavedView:
    """Keep these filters under a name.

    The same ones under the same name are there already: a double click saves one.
    """
    name = " ".join(name.split())
    held = queries.view_named(name)
    if held is not None and held.query == dict(filters):
        return held
    _may_be_saved(name, filters, held)
    made = SavedView(name=name, query=dict(filters), made_by=current.person_id())
    session().add(made)
    record(VIEW_SAVED, made, filters=sorted(filters), name=name)
    return made


def _may_be_saved(name: str, filters: Mapping[str, str], held: SavedView | None) -> None:
    if not 1 <= len(name) <= LONGEST_NAME:
        raise Invalid(f"The name should have 1 to {LONGEST_NAME} characters.", field="name")
    if not filters:
        raise Invalid("There is no filter to save: the whole log needs no name.")
    if held is not None:
        raise Invalid(
            f"A view called “{name}” is there already, with other filters. Choose another name.",
            field="name",
        )
    if len(queries.views()) >= queries.MOST_VIEWS:
        raise Invalid(
            f"There are {queries.MOST_VIEWS} saved views, as many as there can be. Remove one"
            " first."
        )


def remove_view(view: SavedView) -> None:
    record(VIEW_REMOVED, view, name=view.name)
    session().delete(view)


def note_view(page: str, what: str) -> None:
    """An auditor or an operator has looked at a page of the acting tenant; `what` is the object in
    its address, if any.
    """
    tenant = session().get(Tenant, current.actor().tenant_id)
    if tenant is None:
        raise RuntimeError("the acting tenant is always there")
    record(PAGE_VIEWED, tenant, page=page, object=what or None)


# ---- exports

EXPORT_ASKED = action(
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
EXPORT_MADE = action(
    "audit.export.generated",
    "generated an audit log export",
    target="LogExport",
    activity="update",
    severity="low",
    fields="format entries checkpoint sha256",
)
EXPORT_TAKEN = action(
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
MOST_UNDER_WAY = 5


def ask_export(format_: str, filters: Filters) -> LogExport:
    """Queue an export.

    While the same one is under way, that one is watched: a double click makes one file.
    """
    if format_ not in FORMATS:
        raise Invalid(f"Choose one of the formats {', '.join(FORMATS)}.", field="format")
    background_work.lock(LogExport)
    running = background_work.under_way(LogExport, limit=MOST_UNDER_WAY)
    same = [each for each in running if (each.format, each.query) == (format_, filters.address)]
    if same:
        return same[0]
    if len(running) >= MOST_UNDER_WAY:
        raise DomainError(
            f"{MOST_UNDER_WAY} exports are under way. Wait for one of them, or cancel it."
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
    record(EXPORT_ASKED, export, format=export.format, filters=clear, words=export.query.get("q"))


def _renew(export: LogExport) -> None:
    """A retry covers the log as it is then."""
    export.checkpoint = None


def export_filename(export: LogExport) -> str:
    """audit-export-2026-11-25.jsonl, on the tenant's day; with "some" in it when filters were
    set.
    """
    day = export.created_at.astimezone(formatting.zone()).date()
    return (
        f"audit-export{'-some' if export.query else ''}-{day}.{SUFFIXES.get(export.format, 'txt')}"
    )


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
    max_bytes=64 * 1024**3,  # forty million entries
    result_label="Open the export",
)


def aim_export(export: LogExport, number: int) -> None:
    """Its proofs lead to that checkpoint.

    Taken up after a kill, it leads to the same one and makes the same bytes.
    """
    export.checkpoint = number
    session().flush()  # recorded with the file, in file_export()


def file_export(export: LogExport, blob: Blob, entries: int) -> bool:
    """Keep a finished export; False where an earlier try has, and nothing changes."""
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
        EXPORT_MADE,
        export,
        format=export.format,
        entries=entries,
        checkpoint=export.checkpoint,
        sha256=blob.sha256,
    )
    return True


def download_export(export: LogExport) -> GeneratedFile:
    """Record that somebody downloads the file, which is an entry each time, and return it."""
    if export.storage_key is None:
        raise DomainError("This export isn't ready yet.")
    record(EXPORT_TAKEN, export, format=export.format, sha256=export.sha256)
    return GeneratedFile(
        export_filename(export),
        MEDIA_TYPES[export.format],
        key=export.storage_key,
        size=export.size,
    )
