"""The jobs that start due deletions and carry them out."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.pictures import pdf
from governance.kernel.work.jobs import Progress, WorkItem, enqueue, work
from governance.publishing.tenant_offboarding import certificate_document, deletion, queries
from governance.publishing.tenant_offboarding.deletion import NotYet
from governance.publishing.tenant_offboarding.models import TenantOffboarding

WORK = "tenant deletion"
PASSES = 3  # Something may have been writing a row when the tenant was closed.


def start_due() -> None:
    """Queue what is due, and what a killed or failed run left unfinished. Runs hourly."""
    in_each(_start_due, "deletion not started", wanted=lambda tenant: tenant.kind == "operator")


def _start_due() -> None:
    with transaction():
        for row in queries.unfinished():
            is_due = row.due_at is not None and row.due_at <= clock.now()
            if is_due and not queries.is_under_way(row):
                row.work_item_id = enqueue(WORK, row.id).id


@contextmanager
def _locked(offboarding_id: UUID) -> Generator[TenantOffboarding]:
    with transaction():
        yield queries.offboarding(offboarding_id, lock=True)


@work(WORK)
def carry_out(item: WorkItem, progress: Progress) -> None:
    """Delete the tenant of one TenantOffboarding (item.target_id)."""
    if (target := item.target_id) is None:
        raise NotFound("This offboarding doesn't exist.")
    _close(target, progress)
    with transaction(read_only=True):
        row = queries.offboarding(target)
        tenant_id, who, state = row.customer_id, deletion.inside(row), row.state
    if state == "deleting":
        _delete(target, tenant_id, who, progress)
    _lay_out(target, progress)


def _delete(target: UUID, tenant_id: UUID, who: current.Actor, progress: Progress) -> None:
    tables = [each.name for each in queries.tenant_tables()]
    total = len(tables) + 2

    def report(done: int, step: str) -> None:
        progress(done, total, step)

    _delete_rows(target, tables[:3], report, "Destroying keys")
    with _locked(target) as found:
        deletion.keys_destroyed(found)
    report(3, "Deleting usage events")
    deletion.delete_events(who)
    with _locked(target) as found:
        deletion.events_deleted(found)
    deletion.delete_files(tenant_id, lambda count: report(3, f"Deleting file {count}"))
    for _ in range(PASSES):
        if not _delete_rows(target, tables, report, "Deleting rows"):
            break
    report(total - 1, "Signing the certificate")
    with _locked(target) as found:
        if found.state == "deleting":
            deletion.finish(found)


def _lay_out(target: UUID, progress: Progress) -> None:
    """Lay out the PDF. Nothing waits for it: the signed text is there already."""
    with transaction(read_only=True):
        row = queries.offboarding(target)
        if row.certificate is None or queries.has_archive(row):
            return
        built = certificate_document.build(row.certificate, deletion.key_name())
    progress(1, 2, "Laying out the certificate")
    content = pdf.render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    with _locked(target) as found:
        deletion.keep_archive(found, built, content)


def _close(offboarding_id: UUID, progress: Progress) -> None:
    """Change from waiting to deleting, once every entry of the tenant's log has its place."""
    progress(0, 1, "Closing the tenant's log")
    with _locked(offboarding_id) as row:
        if row.state != "waiting":
            return
        deletion.announce(row)
        who = deletion.inside(row)
    deletion.sequence(who)
    with _locked(offboarding_id) as row:
        if row.state == "waiting":
            deletion.close(row)


def _delete_rows(
    offboarding_id: UUID, tables: list[str], report: Callable[[int, str], None], verb: str
) -> int:
    """Delete the rows of those tables that have any. Return how many."""
    total = 0
    with _locked(offboarding_id) as row:
        full = deletion.tables_with_rows(row)
    for done, table in enumerate(tables):
        gone = deletion.BATCH if table in full else 0
        while gone >= deletion.BATCH:
            report(done, f"{verb}: {table.replace('_', ' ')}")
            with _locked(offboarding_id) as row:
                if row.state != "deleting":
                    raise NotYet("Another run finished it.")
                gone = deletion.delete_rows(row, table)
            total += gone
    return total
