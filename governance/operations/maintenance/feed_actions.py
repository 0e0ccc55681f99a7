"""Create and rotate the secret address of the maintenance calendar.

    cal_<tenant>_<43 characters>    256 random bits; the tenant is needed for the lookup

Only the SHA-256 of a token is stored, which is enough since 256 random bits can't be guessed.
"""

import hmac
import re
import secrets

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.web.bearer import digest
from governance.operations.maintenance import queries
from governance.operations.maintenance.models import MaintenanceFeed

FEED_CREATED = action(
    "maintenance_feed.created",
    "created the address of the maintenance calendar",
    target="MaintenanceFeed",
    activity="create",
    severity="medium",
    fields="hint",
)
FEED_ROTATED = action(
    "maintenance_feed.rotated",
    "replaced the address of the maintenance calendar",
    target="MaintenanceFeed",
    activity="update",
    severity="medium",
    fields="hint",
)

TOKEN = re.compile(r"cal_(?P<tenant>[a-z][a-z0-9-]{1,40})_[A-Za-z0-9_-]{43}")
HINT_LENGTH = 4


def rotate() -> str:
    """Give the feed a new token and return it. The old address stops working immediately."""
    lock_tenant("maintenance_feed")
    token = f"cal_{current.actor().tenant_slug}_{secrets.token_urlsafe(32)}"
    feed = queries.feed()
    is_new = feed is None
    if feed is None:
        feed = MaintenanceFeed()
        session().add(feed)
    feed.token_hash, feed.hint = digest(token), token[-HINT_LENGTH:]
    feed.created_by = current.actor().person_id
    record(FEED_CREATED if is_new else FEED_ROTATED, feed, hint=feed.hint)
    return token


def tenant_of(token: str) -> str | None:
    """Return the slug of the tenant that a token names, or None for an invalid token."""
    found = TOKEN.fullmatch(token)
    return found["tenant"] if found else None


def is_valid(token: str) -> bool:
    """Return True if the acting tenant's feed has this token."""
    feed = queries.feed()
    return feed is not None and hmac.compare_digest(feed.token_hash, digest(token))
