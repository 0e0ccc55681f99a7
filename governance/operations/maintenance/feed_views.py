"""The maintenance calendar for calendar programs: anyone with its secret address may read it."""

from datetime import timedelta

from flask import Response, request

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.safety.access import PUBLIC
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.maintenance import exclusion_words, feed_actions, queries

feature = Feature("maintenance_feed", __name__, scope="public")
SHOWN_PAST = timedelta(days=90)


@feature.get("/feeds/<token>/maintenance.ics", needs=PUBLIC, answers=FILE)
def calendar(token: str) -> ResponseReturnValue:
    """Return the calendar, or 404 for any wrong token."""
    slug = feed_actions.tenant_of(token)
    tenant_id = directory.tenant_id(slug) if slug else None
    if slug is None or tenant_id is None:
        raise NotFound("This address doesn't exist.")
    who = system_actor_in(tenant_id, slug, slug)
    with current.acting_as(who), transaction(read_only=True):
        if not feed_actions.is_valid(token):
            raise NotFound("This address doesn't exist.")
        tenant = directory.tenant_by_id(tenant_id)
        name = tenant.name if tenant else slug
        rows = queries.visible(clock.now() - SHOWN_PAST)
        from governance.operations.maintenance import ical  # noqa: PLC0415 - loads icalendar

        content = ical.calendar(f"Maintenance, {name}", rows, exclusion_words.scopes(rows))
    response = Response(content, content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="maintenance.ics"'
    response.headers["Cache-Control"] = "private, max-age=300"
    response.add_etag()
    return response.make_conditional(request)
