"""Helpers for the tests of exports."""

from sqlalchemy import select

from governance.app import schedule
from governance.foundation.audit import logs
from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.work import jobs
from governance.kernel.work.background_work import run_of
from governance.publishing.tenant_exports.models import TenantExport
from tests import make


def sign_log(slug: str = "acme") -> str:
    """Sequence the log as the schedule does each half second. Return the log's verifier key."""
    who = make.system_actor(slug)
    schedule.sequence_log(who.tenant_id, slug, who.tenant_name)
    with current.acting_as(who), transaction(read_only=True):
        key = logs.signing_key()
        assert key
        return str(logs.verifier(key))


def make_archive(admin) -> bytes:
    admin.post("settings/export")
    sign_log()
    jobs.drain(actor_of)
    with make.acting("admin", read_only=True):
        row = session().scalars(select(TenantExport)).one()
        work = run_of(row).work
        assert row.is_ready, work and (work.state, work.step, work.error)
        export_id = row.id
    return admin.post(f"settings/export/{export_id}/file", then=200).data
