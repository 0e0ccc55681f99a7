"""The collectors about members: who they are, and who left."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.member_actions import MEMBER_JOINED, MEMBER_REMOVED, ROLE_CHANGED
from governance.foundation.people.models import Membership, Session
from governance.foundation.populations.collector import (
    BEGINS,
    TENANT,
    UNTIL,
    PopulationRow,
    QueryCollector,
    counted,
    recorded,
)
from governance.foundation.populations.periods import Period
from governance.kernel.formatting import plural

FORMER = "former member"


class Members(QueryCollector):
    key, title = "members", "Members and roles"
    about = "Every membership in the period with its role at the end, derived from the audit log."
    controls = ("ACC-01", "ACC-03")
    topic = "access"

    def select(self) -> Select[*tuple[Any, ...]]:
        e = AuditEntry
        names = [each.name for each in (MEMBER_JOINED, ROLE_CHANGED, MEMBER_REMOVED)]
        role = func.coalesce(e.changes["role"][1].astext, e.facts["role"].astext)
        events = (
            select(e.target_id, e.action, e.at, role.label("role"))
            .where(e.tenant_id == TENANT, e.at < UNTIL, e.action.in_(names))
            .cte("events")
        )
        newest = (
            select(events)
            .ext(distinct_on(events.c.target_id))
            .order_by(events.c.target_id, events.c.at.desc())
            .cte("newest")
        )
        n, mine = newest.c, events.c.target_id == newest.c.target_id
        joined = select(func.min(events.c.at)).where(mine).scalar_subquery().label("joined_at")
        changes = select(func.count()).select_from(events).where(mine, events.c.at >= BEGINS)
        state = case((n.action == MEMBER_REMOVED.name, "left"), else_="member")
        return (
            select(
                func.coalesce(Membership.pseudonym, FORMER).label("member"),
                n.role,
                state.label("state"),
                joined,
                n.at.label("last_changed_at"),
                changes.scalar_subquery().label("changes_in_period"),
            )
            .select_from(newest)
            .outerjoin(
                Membership, and_(Membership.tenant_id == TENANT, Membership.id == n.target_id)
            )
            .where(or_(n.action != MEMBER_REMOVED.name, n.at >= BEGINS))
            .order_by(joined, n.target_id)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        here, left = (
            [r for r in rows if r["state"] == "member"],
            sum(r["state"] == "left" for r in rows),
        )
        admins = sum(r["role"] == "admin" for r in here)
        changed = sum(int(r["changes_in_period"]) for r in rows)
        went = (
            f"; {counted(left, 'member')} left, {counted(changed, 'change')} in total"
            if changed
            else "; no changes"
        )
        return f"{plural(len(here), 'member')}, {plural(admins, 'admin')}{went}.", True


class Leavers(QueryCollector):
    key, title = "leavers", "Leavers"
    about = "Every membership that ended in the period, and any session that stayed open after it."
    controls = ("ACC-03",)
    topic = "access"

    def select(self) -> Select[*tuple[Any, ...]]:
        e, m, s = AuditEntry, Membership, Session
        still_open = (
            select(func.count())
            .select_from(s)
            .where(
                s.tenant_id == TENANT,
                s.person_id == m.person_id,
                s.created_at <= e.at,
                or_(s.ended_at.is_(None), s.ended_at > e.at),
                s.expires_at > e.at,
            )
        )
        return (
            select(
                func.coalesce(m.pseudonym, FORMER).label("member"),
                e.facts["role"].astext.label("role"),
                e.at.label("left_at"),
                e.actor.label("by"),
                still_open.scalar_subquery().label("sessions_open_after"),
            )
            .select_from(e)
            .outerjoin(m, and_(m.tenant_id == TENANT, m.id == e.target_id))
            .where(*recorded(MEMBER_REMOVED))
            .order_by(e.at, e.id)
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        if not rows:
            return "No member left.", True
        late = sum(bool(r["sessions_open_after"]) for r in rows)
        kept = (
            f"{plural(late, 'leaver')} kept an open session"
            if late
            else "all their sessions were ended"
        )
        return f"{plural(len(rows), 'member')} left; {kept}.", not late
