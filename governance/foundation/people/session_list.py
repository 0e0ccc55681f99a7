"""The lists of open sessions, one's own and a member's: declarations, filtered rows and export."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.foundation.people import queries
from governance.foundation.people.queries import LiveSession
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import (
    Choices,
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

COLUMNS = (
    Column("browser", "Browser", sort=True),
    Column("network", "IP address", sort=True, optional=True),
    Column("signed_in", "Signed in", sort=True, optional=True),
    Column("seen", "Last seen", sort=True, optional=True),
    Column("actions", "Actions", silent=True),
)
FILTERS = (Filter("network", "IP address"),)
OWN_SESSIONS = ListPage(
    name="own_sessions",
    title="Your sessions",
    noun="session",
    endpoint="sessions.own_sessions",
    search="Search sessions",
    sort="-seen",
    columns=COLUMNS,
    filters=FILTERS,
    exports=(Export("csv", "sessions.export_own_sessions"),),
)
MEMBER_SESSIONS = ListPage(
    name="member_sessions",
    title="Sessions",
    noun="session",
    endpoint="sessions.member_sessions",
    place=("membership_id",),
    find_place=queries.membership,
    search="Search sessions",
    sort="-seen",
    columns=COLUMNS,
    filters=FILTERS,
    exports=(Export("csv", "sessions.export_member_sessions"),),
)
HEAD = ("Browser", "IP address", "Signed in", "Last seen")
UNKNOWN = "unknown"
TESTS: Mapping[str, Callable[[LiveSession, str], bool]] = {
    "network": lambda row, value: (row.network or UNKNOWN) == value
}
ORDERS: Mapping[str, Callable[[LiveSession], Any]] = {
    "browser": lambda row: (row.browser.casefold(), row.id),
    "network": lambda row: (row.network or "", row.id),
    "signed_in": lambda row: (row.created_at, row.id),
    "seen": lambda row: (row.seen_at, row.id),
}


def networks(sessions: Sequence[LiveSession]) -> Choices:
    """Return the networks that the sessions are from, as choices."""
    return [(network, network) for network in sorted({row.network or UNKNOWN for row in sessions})]


def matching(sessions: Sequence[LiveSession], asked: ListRequest) -> list[LiveSession]:
    return arrange(
        keep(sessions, asked, TESTS, lambda row: f"{row.browser} {row.network}"), asked, ORDERS
    )


def cells(row: LiveSession) -> Sequence[Cell]:
    return row.browser or UNKNOWN, row.network or UNKNOWN, row.created_at, row.seen_at
