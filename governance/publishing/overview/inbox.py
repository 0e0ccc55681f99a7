"""What other people wait for from this one: decisions, requests of auditors, access to review, exceptions and findings.

    decisions(person_id)      all of it in one statement: each kind is a part of one UNION, asked for by who has its permission

An auditor is asked only for what his engagement is about: judging what was provided, and retests of its controls.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, String, Uuid, case, cast, func, literal, null, or_, select, union_all

from governance.assurance.access_reviews import permissions as reviewing
from governance.assurance.access_reviews.models import AccessReview, AccessReviewItem
from governance.assurance.controls.models import Control
from governance.assurance.engagements import permissions as engaging
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.models import AuditRequest, Engagement
from governance.assurance.evidence.queries import FORMER
from governance.assurance.testing import permissions as testing
from governance.assurance.testing.models import Finding, ItemResult, TestException
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.approvals import inbox as approvals
from governance.foundation.approvals import permissions as approving
from governance.foundation.people import permissions as joining
from governance.foundation.people.models import ConnectionChange, Membership, Person
from governance.foundation.people.second_person import may_approve
from governance.kernel import clock, current
from governance.kernel.access import allowed
from governance.kernel.db import session
from governance.kernel.scope import scope
from governance.operations.policies import permissions as deciding
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.policies.strictness import DIMENSIONS
from governance.operations.switches import permissions as switching
from governance.operations.switches.models import Drill, Stop
from governance.operations.systems.models import AISystem, SystemFeature
from governance.publishing.overview.engagement_context import goes_on


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing to do. `endpoint` and `values` are its address; `since` is when it began to wait, `due` its last day."""

    icon: str
    title: str
    endpoint: str
    values: dict[str, Any]
    meta: str
    since: date
    due: date | None = None
    holds_up: bool = False  # another person asked for it, and cannot go on before it is decided

    @property
    def order(self) -> tuple[date, str]:
        return self.due or self.since, self.title


@dataclass(frozen=True, slots=True)
class Kind:
    """How a kind of row is told. `title` takes {about} and {who}, `meta` takes {who} and {because}."""

    icon: str
    title: str
    meta: str
    endpoint: str
    of: str  # the name of its id in the address
    parent: str = ""  # and of what it belongs to
    holds_up: bool = False


ASKED_BY = "Asked by {who}: {because}"
REQUEST = ("engagements.one_request", "request_id", "engagement_id")
KINDS = {
    "policy": Kind("adjustments-horizontal", "Decide on the looser policy", ASKED_BY, "policies.decision", "policy_version_id", holds_up=True),
    "waiver": Kind("shield-half", "Decide on the waiver: {about}", ASKED_BY, "policies.waiver", "waiver_id", holds_up=True),
    "restart": Kind("player-play", "Decide on the restart of {about}", ASKED_BY, "switches.restart", "stop_id", holds_up=True),
    "drill": Kind("bolt", "Agree to the drill of {about}", ASKED_BY, "switches.drill", "drill_id", holds_up=True),
    "approval": Kind("user-check", "Review the request to {about}", "Requested by {who}: {because}", "approvals.approval", "approval_id", holds_up=True),
    "sign-in": Kind("login-2", "Review a change to sign-in", ASKED_BY, "connections.change", "connection_change_id", holds_up=True),
    "request": Kind("inbox", "Answer the auditors: {about}", "{because}, {who}", *REQUEST),
    "returned": Kind("arrow-back-up", "Answer the auditors again: {about}", "{because}, {who}, was returned", *REQUEST),
    "nobody's": Kind("user-plus", "Assign the auditors' request: {about}", "{because}, {who}", *REQUEST),
    "late": Kind("bell", "Ask {who} for the auditors' request: {about}", "{because}", *REQUEST),
    "provided": Kind("inbox", "Judge what was provided: {about}", "{because}, provided", *REQUEST),
    "review": Kind("users", "Review who has access: {about}", "{because} to decide, begun by {who}", "access_reviews.review", "access_review_id"),
    "exception": Kind("alert-triangle", "Answer {about}", "{because}", "testing.exception", "exception_id"),
    "finding": Kind("clipboard-check", "Mend {about}", "Raised by {who}", "testing.exception", "exception_id"),
    "retest": Kind("refresh", "Retest {about}", "Mended by {who}", "testing.exception", "exception_id"),
}  # fmt: skip


def decisions(me: UUID) -> list[Wait]:
    """One statement, none for who is asked for nothing. An auditor's engagements and scope are read besides."""
    asked: list[tuple[Any, Callable[[UUID], Any]]] = [
        (approving.VIEW, _approvals), (deciding.APPROVE, _policies), (deciding.WAIVE, _waivers), (switching.RESTART, _restarts), (switching.DRILL, _drills),
        (joining.CONNECTION, _sign_in), (engaging.PROVIDE, _requests), (engaging.JUDGE, _provided), (reviewing.REVIEW, _reviews),
        (testing.MANAGE, _exceptions), (testing.REMEDY, _findings), (testing.TEST, _retests),
    ]  # fmt: skip
    parts = [query(me) for permission, query in asked if allowed(permission)]
    return [_wait(row) for row in session().execute(union_all(*parts))] if parts else []


def _wait(row: Any) -> Wait:
    kind = KINDS[row.kind]
    about = dimension_of(row.about) if row.kind == "waiver" else row.about
    told = {"about": short(about), "who": row.who or FORMER, "because": short(row.because or "")}
    values = {kind.of: row.id} | ({kind.parent: row.parent} if kind.parent else {})
    meta = kind.meta.format(**told).removesuffix(": ")
    due = row.due.date() if row.due else None
    return Wait(kind.icon, kind.title.format(**told), kind.endpoint, values, meta, row.since.date(), due, holds_up=kind.holds_up)


def dimension_of(about: str) -> str:
    """As "grounding of ad-copywriter", from the dimension's key and the system's."""
    key, _, system = about.partition(" ")
    title = DIMENSIONS[key].title if key in DIMENSIONS else key
    return f"{lower(title)} of {system}"


def lower(title: str) -> str:
    """A title inside a sentence; an abbreviation stays as it is."""
    return title if len(title) < 2 or title[1].isupper() else title[0].lower() + title[1:]  # noqa: PLR2004 - a letter and the next


def short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1].rsplit(" ", 1)[0] + "…"


# ---- the parts


def _part(
    kind: Any, model: Any, about: Any, who: Any, because: Any, since: Any, due: Any, *, row_id: Any = None, parent: Any = None
) -> Any:
    row = (
        kind.label("kind"), (model.id if row_id is None else row_id).label("id"), cast(null() if parent is None else parent, Uuid).label("parent"),
        cast(about, String).label("about"), who.label("who"), cast(because, String).label("because"), since.label("since"),
        cast(due, DateTime(timezone=True)).label("due"),
    )  # fmt: skip
    return select(*row).where(model.tenant_id == current.actor().tenant_id)


def _asked(kind: str, model: Any, about: Any, asker: Any, because: Any, since: Any, due: Any, **more: Any) -> Any:
    return _part(literal(kind), model, about, _name(asker), because, since, due, **more)


def _name(person: Any) -> Any:
    return select(Person.name).where(Person.id == person).scalar_subquery()


def _approvals(_me: UUID) -> Any:
    """Of every kind that foundation/approvals knows."""
    a = approvals.awaiting().subquery("awaiting")
    return select(
        literal("approval").label("kind"), a.c.id, cast(null(), Uuid).label("parent"), a.c.summary.label("about"), _name(a.c.requested_by).label("who"),
        a.c.reason.label("because"), a.c.requested_at.label("since"), a.c.expires_at.label("due"),
    )  # fmt: skip


def _policies(me: UUID) -> Any:
    v = PolicyVersion
    query = _asked("policy", v, literal(""), v.made_by, v.reason, v.asked_at, null())
    return query.where(v.state == "asked", may_approve(v.made_by, v.asked_at), ~v.hands.contains([str(me)]))


def _waivers(me: UUID) -> Any:
    w = Waiver
    query = _asked("waiver", w, w.dimension + " " + AISystem.key, w.asked_by, w.reason, w.created_at, w.expires_at).join(
        AISystem, AISystem.id == w.system_id
    )
    return query.where(
        w.state == "asked", may_approve(w.asked_by, w.created_at), w.first_by.is_distinct_from(me), w.expires_at > clock.now()
    )


def _restarts(_me: UUID) -> Any:
    s = Stop
    about = func.coalesce(SystemFeature.key + " of " + AISystem.key, AISystem.key, "everything")
    query = _asked("restart", s, about, s.restart_asked_by, func.coalesce(s.restart_reason, ""), s.restart_asked_at, null())
    query = query.outerjoin(AISystem, AISystem.id == s.system_id).outerjoin(SystemFeature, SystemFeature.id == s.feature_id)
    return query.where(
        s.restart_asked_at.is_not(None), s.restarted_at.is_(None), may_approve(s.restart_asked_by, s.restart_asked_at)
    )


def _drills(_me: UUID) -> Any:
    d = Drill
    query = _asked("drill", d, AISystem.key, d.planned_by, literal(""), d.created_at, d.due_at).join(
        AISystem, AISystem.id == d.system_id
    )
    return query.where(d.state == "asked", may_approve(d.planned_by, d.created_at))


def _sign_in(_me: UUID) -> Any:
    """A change that is tested, or needs no test."""
    c = ConnectionChange
    query = _asked("sign-in", c, literal(""), c.requested_by, c.reason, c.created_at, c.expires_at)
    ready = c.connection_id.is_(None) | (c.test["passed"].as_boolean())
    return query.where(c.state == "requested", c.expires_at > clock.now(), ready, may_approve(c.requested_by, c.created_at))


def _requests(me: UUID) -> Any:
    """Of engagements that are not over: his own; for who manages them also what nobody has, and what another one is late with."""
    r, today = AuditRequest, clock.today()
    mine = r.owner_id == me
    kind = case((mine & (r.state == "returned"), "returned"), (mine, "request"), (r.owner_id.is_(None), "nobody's"), else_="late")
    who = case((mine | r.owner_id.is_(None), Engagement.firm), else_=_name(r.owner_id))
    query = _part(kind, r, r.title, who, r.ref, r.state_since, r.due_on, parent=r.engagement_id)
    query = query.join(Engagement, Engagement.id == r.engagement_id)
    wanted = or_(mine, r.owner_id.is_(None), r.due_on < today) if allowed(engaging.MANAGE) else mine
    return query.where(r.state.in_(("open", "returned")), wanted, goes_on())


def _provided(me: UUID) -> Any:
    r = AuditRequest
    query = _part(literal("provided"), r, r.title, literal(""), r.ref, r.state_since, null(), parent=r.engagement_id)
    return query.where(r.state == "provided", r.engagement_id.in_([each.id for each in engagements.current(me)]))


def _reviews(me: UUID) -> Any:
    """An open review, with how many rows of it he may decide on: not his own access, and nothing that ended since."""
    a, i, m, k = AccessReview, AccessReviewItem, Membership, ApiKey
    alive = or_(
        i.membership_id.is_not(None) & m.ended_at.is_(None) & (m.person_id != me),
        i.key_id.is_not(None) & k.revoked_at.is_(None) & or_(k.expires_at.is_(None), k.expires_at > clock.now())
        & k.made_by.is_distinct_from(me),
    )  # fmt: skip
    left = (
        select(func.count()).select_from(i).outerjoin(m, m.id == i.membership_id).outerjoin(k, k.id == i.key_id)
        .where(i.access_review_id == a.id, i.decision.is_(None), alive).correlate(a).scalar_subquery()
    )  # fmt: skip
    return _asked("review", a, a.title, a.begun_by, left, a.created_at, a.due_on).where(a.closed_at.is_(None), left > 0)


def _exceptions(_me: UUID) -> Any:
    """Without management's response; not those whose item passed in a later result."""
    e = TestException
    latest = (
        select(ItemResult.outcome)
        .where(ItemResult.sample_item_id == e.sample_item_id)
        .order_by(ItemResult.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    about = e.ref + " of " + Control.ref
    query = _asked("exception", e, about, e.found_by, e.says, e.created_at, null()).join(Control, Control.id == e.control_id)
    return query.where(e.response == "", latest.is_distinct_from("passed"))


def _findings(me: UUID) -> Any:
    f = Finding
    query = _asked("finding", f, f.ref + ": " + f.title, f.raised_by, literal(""), f.created_at, f.due_on, row_id=f.exception_id)
    return query.where(f.owner_id == me, f.closed_at.is_(None), f.remedied_at.is_(None))


def _retests(me: UUID) -> Any:
    """Mended by others; for an auditor, of the controls of his engagement and while its window is open."""
    f, e = Finding, TestException
    query = _asked("retest", f, f.ref + ": " + f.title, f.remedied_by, literal(""), f.remedied_at, null(), row_id=f.exception_id)
    query = query.where(f.closed_at.is_(None), f.remedied_at.is_not(None), f.owner_id != me, f.remedied_by.is_distinct_from(me))
    held = scope() if current.actor().role == "auditor" else None
    if held is None or (held.controls is None and held.open):
        return query
    return query.join(e, e.id == f.exception_id).where(e.control_id.in_(held.controls or ()), literal(held.open))
