"""The owners whose shares of a worker's threads a request takes: its key or session, and its tenant.

They are read from the request's credentials, unverified (see `kernel/web/page_shares.py`). A
request without a key or session belongs to its network. Decisions take nobody's share: they are
answered from memory, within the rate of their key.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from werkzeug.http import parse_cookie

from governance.foundation.people import sessions
from governance.kernel import client_address
from governance.kernel.errors import KeyNeeded
from governance.kernel.web import bearer, responses
from governance.kernel.web.page_shares import Owner, Share
from governance.kernel.web.server import PAGE_THREADS
from governance.operations.decisions.app import PREFIXES

OF_CREDENTIAL = Share(running=PAGE_THREADS // 4, waiting=12)
# All people and keys of a tenant or network.
OF_MANY = Share(running=PAGE_THREADS // 2, waiting=128)
URGENT = Share(running=1, waiting=4)  # One credential. There are two threads in all.
TENANT_PATH = "/t/"


def owners_of(
    trusted: Sequence[client_address.Network],
    session_cookie: str,
    environ: dict[str, Any],
    is_urgent: bool,  # noqa: FBT001 - the server's signature
) -> list[Owner]:
    """Return the owners of a request, each with its share of the threads that it needs."""
    path = environ["PATH_INFO"]
    if path.startswith(PREFIXES):
        return []
    cookie = parse_cookie(environ.get("HTTP_COOKIE", "")).get(session_cookie, "")
    header = bearer.header_of(environ)
    credentials = {f"session {_digest(cookie)}"} if cookie else set()
    tenants = {sessions.split(cookie)[0]} if cookie else set()
    try:
        tenants.add(bearer.parse(header).tenant)
        credentials.add(f"key {_digest(header)}")
    except KeyNeeded:
        pass
    if is_urgent:
        return [Owner(each, URGENT) for each in credentials]
    if path.startswith(TENANT_PATH):
        tenants.add(path.removeprefix(TENANT_PATH).partition("/")[0])
    owners = [Owner(each, OF_CREDENTIAL) for each in credentials]
    owners += [Owner(f"tenant {each}", OF_MANY) for each in tenants if each]
    if not credentials:
        client_address.correct_address(environ, trusted)
        owners.append(Owner(f"network {responses.network_of(environ['REMOTE_ADDR'])}", OF_MANY))
    return owners


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
