"""The public change log and its feed. Anyone with the address may read them.

Every wrong address gets the same response, whether the tenant exists or not. Only published changes
are read, in the tenant's own transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flask import Response, make_response, request

from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.public_addresses import tenant_of
from governance.kernel import current
from governance.kernel.config import public_address
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.change_log import atom_feed, queries
from governance.publishing.change_log.actions import ADDRESS
from governance.publishing.change_log.drafts import paragraphs
from governance.publishing.change_log.models import ChangeLog, CustomerChange

public = Feature("public_change_log", __name__, scope="public")
PAGE_SIZE, FEED_SIZE = 25, 50
NOT_HERE = "This page doesn't exist."
CACHE = "public, max-age=60"
ROBOTS = "noindex, nofollow"


@dataclass(frozen=True, slots=True)
class OpenLog:
    """A public change log, and its tenant."""

    log: ChangeLog
    tenant: Tenant

    @property
    def address(self) -> str:
        return f"{public_address()}/public/changes/{self.log.token}"


@contextmanager
def _opened(token: str) -> Iterator[OpenLog]:
    """Open a public change log in the tenant's transaction. Raises NotFound for any wrong token."""
    who = tenant_of(token, ADDRESS)
    if who is None:
        raise NotFound(NOT_HERE)
    with current.acting_as(who), transaction(read_only=True):
        log, tenant = queries.change_log(), tenants.tenant_by_id(who.tenant_id)
        if log is None or log.token != token or not log.is_public:
            raise NotFound(NOT_HERE)
        if tenant is None or tenant.status != "active":
            raise NotFound(NOT_HERE)
        yield OpenLog(log, tenant)


@public.get("/public/changes/<token>", needs=PUBLIC)
def changes(token: str) -> ResponseReturnValue:
    """Show the published changes, the newest first."""
    before = request.args.get("before", type=int)
    with _opened(token) as found:
        rows = queries.published(before=before, size=PAGE_SIZE + 1)
        shown = rows[:PAGE_SIZE]
        answer = make_response(
            page(
                "publishing/change_log/public.html",
                tenant_name=found.tenant.name,
                address=f"/public/changes/{token}",
                rows=shown,
                older=shown[-1][0].number if len(rows) > PAGE_SIZE else None,
                is_first=before is None,
                paragraphs=paragraphs,
            )
        )
    return _cached(answer)


@public.get("/public/changes/<token>/feed.atom", needs=PUBLIC, answers=FILE)
def feed(token: str) -> ResponseReturnValue:
    with _opened(token) as found:
        rows = queries.published(size=FEED_SIZE)
        content = atom_feed.feed(
            log_id=found.log.id,
            title=f"Changes to AI at {found.tenant.name}",
            author=found.tenant.name,
            page=found.address,
            address=f"{found.address}/feed.atom",
            started=found.log.created_at,
            entries=[
                _entry(change, system.name if system else "", found.address)
                for change, system in rows
            ],
        )
    return _cached(Response(content, content_type=atom_feed.CONTENT_TYPE))


def _entry(change: CustomerChange, system: str, address: str) -> atom_feed.FeedEntry:
    is_over = change.state == "withdrawn"
    parts = (
        [f"Withdrawn: {change.withdrawal}"] if is_over else [change.body, change.effect],
        [f"AI system: {system}"] if system else [],
    )
    return atom_feed.FeedEntry(
        id=change.id,
        title=f"Withdrawn: {change.title}" if is_over else change.title,
        text="\n\n".join(text for part in parts for text in part if text),
        category=change.kind_name,
        address=f"{address}#{change.ref}",
        published=change.published_at or change.created_at,
        updated=change.updated_at,
    )


def _cached(answer: Response) -> ResponseReturnValue:
    """Make the response cacheable: readers poll, and get 304 while nothing has changed."""
    answer.headers["Cache-Control"] = CACHE
    answer.headers["X-Robots-Tag"] = ROBOTS
    answer.add_etag()
    return answer.make_conditional(request)
