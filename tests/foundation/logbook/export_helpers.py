"""Helpers that write entries with places, and generate exports of them."""

from governance.app import schedule
from governance.foundation.audit import logs, sequencer
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session
from governance.kernel.work import jobs

assert schedule.HANDLERS  # Loading the schedule registers the kind of work.

CHANGED = registry["tenant.settings.changed"]


def write_numbered_entries(acting, count, tenant="acme", word="A"):
    """Write `count` entries in the log of that tenant, with their places."""
    with acting("admin", tenant) as who:
        target = session().get(Tenant, who.tenant_id)
        for number in range(count):
            record(CHANGED, target, before={"name": word}, after={"name": f"{word}-{number}"})
    with acting("admin", tenant):
        while sequencer.sequence():
            pass


def request_export(who, format_="jsonl", query=""):
    return who.post(f"audit/exports{query}", format=format_).location


def generate_export(who, format_="jsonl", query=""):
    """Request and generate an export. Return its bytes as downloaded."""
    page = request_export(who, format_, query)
    assert jobs.drain(actor_of) >= 1
    return who.post(f"{page}/file", then=200).data


def verifier_keys(acting, tenant="acme"):
    with acting("admin", tenant):
        return "\n".join(str(logs.verifier(key)) for key in logs.all_keys())
