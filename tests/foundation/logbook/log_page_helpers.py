"""Helpers that write entries, and read the pages of the log."""

from bs4 import BeautifulSoup

from governance.foundation.audit import sequencer
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session

CHANGED = registry["tenant.settings.changed"]


def write_entries(acting, count, tenant="acme", role="admin", **more):
    """Write `count` entries in the log of that tenant. Return their ids, oldest first."""
    with acting(role, tenant) as who:
        target = session().get(Tenant, who.tenant_id)
        return [
            record(CHANGED, target, before={"name": "A"}, after={"name": f"Name{n}"}, **more).id
            for n in range(count)
        ]


def sequence_entries(acting, tenant="acme"):
    with acting("admin", tenant):
        while sequencer.sequence():
            pass


def parse_page(reply):
    return BeautifulSoup(reply.text, "html.parser")


def entry_ids_on_page(reply):
    """Return the ids of the entries of a page, in their order."""
    return [row["data-entry"] for row in parse_page(reply).select("tr[data-entry]")]


def walk_pages(visitor, path):
    """Return every entry that the pager leads to, and the number of pages."""
    seen, pages = [], 0
    while path:
        reply = visitor.get(path)
        seen += entry_ids_on_page(reply)
        pages += 1
        more = parse_page(reply).find("a", rel="next")
        path = more["href"] if more else None
    return seen, pages
