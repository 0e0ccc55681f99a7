"""The list of waivers: declaration, query, and export cells."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, or_, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.pages.list_pages import Column, Export, Filter, ListPage
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.operations.policies.dimensions import DIMENSIONS, read
from governance.operations.policies.models import Waiver
from governance.operations.policies.setting_labels import value_label
from governance.operations.systems.models import AISystem

STATES = {
    "live": "Live",
    "requested": "Awaiting approval",
    "ended": "Ended",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
    "expired": "Expired",
}
WAIVERS = ListPage(
    name="waivers",
    title="Waivers",
    noun="waiver",
    endpoint="waivers.index",
    search="Search waivers",
    sort="-requested",
    columns=(
        Column(
            "waiver",
            "Waiver",
            file=(
                "Setting",
                "Setting name",
                "Reason",
            ),
        ),
        Column("system", "AI system", sort=True),
        Column("value", "Value"),
        Column("compensation", "Compensating measure", optional=True),
        Column(
            "requested",
            "Requested",
            sort=True,
            optional=True,
            file=(
                "Requested by",
                "Requested",
            ),
        ),
        Column("approvers", "Approved by", optional=True),
        Column(
            "ends",
            "Ends",
            sort=True,
            file=(
                "Live from",
                "Ends",
            ),
        ),
        Column(
            "state",
            "State",
            file=(
                "State",
                "Closed",
            ),
        ),
    ),
    filters=(
        Filter("state", "State", tuple(STATES.items())),
        Filter("system", "AI system"),
        Filter("dimension", "Setting", tuple((key, d.title) for key, d in DIMENSIONS.items())),
    ),
    exports=(Export("csv", "waivers.export"),),
)
HEAD = (
    "AI system",
    "Setting",
    "Setting name",
    "Value",
    "Reason",
    "Compensating measure",
    "Requested by",
    "Requested",
    "Approved by",
    "Live from",
    "Ends",
    "State",
    "Closed",
)


SORTS: Mapping[str, tuple[Any, ...]] = {  # Each ends with a unique column
    "system": (AISystem.key, Waiver.created_at, Waiver.id),
    "requested": (Waiver.created_at, Waiver.id),
    "ends": (Waiver.expires_at, Waiver.id),
}


def waivers(
    wanted: Mapping[str, str], *, sort: str = "-requested", after: str | None = None, size: int = 50
) -> Keyset:
    """Return a page of (waiver, slug of its system).

    `wanted` has the filters, with the search as q.
    """
    return sorted_page(_filtered(wanted), SORTS, sort, after=after, size=size)


def count() -> int:
    return session().scalar(select(func.count()).select_from(Waiver)) or 0


def _filtered(wanted: Mapping[str, str]) -> Any:
    w = Waiver
    query = select(w, AISystem.key).join(AISystem, AISystem.id == w.system_id)
    if "state" in wanted:
        query = query.where(_is(wanted["state"]))
    if "dimension" in wanted:
        query = query.where(w.dimension == wanted["dimension"])
    if "system" in wanted:
        query = query.where(AISystem.key == wanted["system"])
    if "q" in wanted:
        text = wanted["q"]
        settings = [
            key for key, d in DIMENSIONS.items() if text.casefold() in f"{key} {d.title}".casefold()
        ]
        columns = (AISystem.key, AISystem.name, w.reason, w.compensation)
        query = query.where(
            or_(w.dimension.in_(settings), *(c.icontains(text, autoescape=True) for c in columns))
        )
    return query


def _is(state: str) -> ColumnElement[bool]:
    """Match the state as people see it, since live and requested ones end by the clock."""
    w, runs = Waiver, Waiver.expires_at > clock.now()
    states = {
        "live": (w.state == "live") & runs,
        "ended": (w.state == "ended") | (w.state == "live") & ~runs,
        "requested": (w.state == "requested") & runs,
        "expired": (w.state == "expired") | (w.state == "requested") & ~runs,
        "rejected": w.state == "rejected",
        "withdrawn": w.state == "withdrawn",
    }
    return states.get(state, false())


def state_of(waiver: Waiver) -> str:
    """Return one of STATES, as in the filter."""
    runs = waiver.expires_at > clock.now()
    now = {
        "live": "live" if runs else "ended",
        "requested": "requested" if runs else "expired",
        "rejected": "rejected",
    }
    return now.get(waiver.state, waiver.state)


def cells(
    waiver: Waiver, system: str, approvers: Iterable[UUID], names: Mapping[UUID, str]
) -> tuple[str, ...]:
    which = DIMENSIONS[waiver.dimension]
    return (
        system,
        which.key,
        which.title,
        value_label(read(which.key, waiver.value), which),
        waiver.reason,
        waiver.compensation,
        names.get(waiver.requested_by, ""),
        _day(waiver.created_at),
        ", ".join(names.get(each, "") for each in approvers),
        _day(waiver.live_from),
        _day(waiver.expires_at),
        STATES[state_of(waiver)],
        _day(waiver.closed_at),
    )


def _day(at: datetime | None) -> str:
    return at.date().isoformat() if at else ""
