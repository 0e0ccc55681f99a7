"""Queries of archives."""

from collections.abc import Sequence
from uuid import UUID

from governance.kernel.data.db import find, session
from governance.kernel.work.background_work import Run, run_of, with_work
from governance.publishing.tenant_exports.models import TenantExport

MAX_LISTED = 20


def export(export_id: UUID, *, lock: bool = False) -> TenantExport:
    return find(TenantExport, export_id, what="export", lock=lock)


def run(tenant_export_id: UUID) -> Run[TenantExport]:
    return run_of(export(tenant_export_id))


def all_runs() -> Sequence[Run[TenantExport]]:
    return [Run(row[0], row[1]) for row in session().execute(with_work(TenantExport))]


def newest(*, limit: int = MAX_LISTED) -> Sequence[Run[TenantExport]]:
    query = with_work(TenantExport).order_by(TenantExport.created_at.desc(), TenantExport.id.desc())
    return [Run(row[0], row[1]) for row in session().execute(query.limit(limit))]
