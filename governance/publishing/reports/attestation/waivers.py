"""The waivers of an attestation."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select

from governance.foundation.approvals.models import ApprovalGiven
from governance.kernel.data.db import session
from governance.operations.policies.dimensions import plain
from governance.operations.policies.effective_policies import (
    Platform,
)
from governance.operations.policies.models import Waiver
from governance.publishing.reports.attestation.known_rows import Json, KnownRows, iso


def waivers_in(since: datetime | None, until: datetime) -> Sequence[Waiver]:
    """List the waivers active in the period, and its requests that never became active."""
    begin = since or until
    active = (
        (Waiver.live_from <= until)
        & (Waiver.expires_at > begin)
        & or_(Waiver.closed_at.is_(None), Waiver.closed_at > begin)
    )
    requested = or_(Waiver.live_from.is_(None), Waiver.live_from > until) & (
        Waiver.created_at <= until
    )
    requested &= or_(Waiver.closed_at.is_(None), Waiver.closed_at > begin) & (
        Waiver.expires_at > begin
    )
    return (
        session()
        .scalars(select(Waiver).where(active | requested).order_by(Waiver.created_at, Waiver.id))
        .all()
    )


def waiver_facts(
    row: Waiver, approved: Sequence[ApprovalGiven], known: KnownRows, platform: Platform
) -> Json:
    first, second = (*(each for each in approved if known.before_end(each.given_at)), None, None)[
        :2
    ]
    live, closed = known.before_end(row.live_from), known.before_end(row.closed_at)
    floor = platform.floor.get(row.dimension)
    return {
        "system": known.system(row.system_id),
        "dimension": row.dimension,
        "value": row.value,
        "floor": None if floor is None else plain(floor),
        "reason": row.reason,
        "compensation": row.compensation,
        "requested_by": known.who(row.requested_by),
        "requested_at": iso(row.created_at),
        "first_by": known.who(first.person_id) if first else None,
        "first_at": iso(first.given_at if first else None),
        "second_by": known.who(second.person_id) if second else None,
        "second_at": iso(second.given_at if second else None),
        "expires_at": iso(row.expires_at),
        "closed_by": known.who(row.closed_by) if closed and row.closed_by else None,
        "closed_at": iso(closed),
        "state": _waiver_state(
            row, known.until, was_live=live is not None, is_closed=closed is not None
        ),
    }


def _waiver_state(row: Waiver, until: datetime, *, was_live: bool, is_closed: bool) -> str:
    """Return live, ended, requested or rejected, as of the end."""
    if was_live:
        return "ended" if is_closed or row.expires_at <= until else "live"
    return "rejected" if is_closed else "requested"
