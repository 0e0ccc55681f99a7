"""Engagements as they stand: who may enter and when, what is in scope, what was asked for, which
packages there are.

current(person)                 the engagements of a person that are open now
may_enter(who, now)             whether an auditor is let in; everybody else is
shown_by(engagements)           the controls and evidence that auditors of these see
requests(…), thread(…)          the list that the auditors sent
keeping_still(now)              the engagement under which evidence and controls are read-only
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Select,
    Uuid,
    any_,
    exists,
    func,
    literal,
    or_,
    select,
)

from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.engagements import permissions
from governance.assurance.engagements.fieldwork_window import phase
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    EngagementAuditor,
    EvidencePackage,
    RequestAttachment,
    RequestImport,
    RequestRemark,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Requirement
from governance.foundation.audit import logs
from governance.foundation.audit import queries as audit
from governance.foundation.people.models import Invitation, Membership, Session
from governance.foundation.people.sessions import ABSOLUTE
from governance.kernel import clock
from governance.kernel import current as acting
from governance.kernel.access import allowed
from governance.kernel.background_work import Run, run_of, with_work
from governance.kernel.conditions import is_owner
from governance.kernel.current import Actor
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.formatting import long_day
from governance.kernel.pages import Keyset, keyset

STATES = ("open", "provided", "returned", "accepted")


# ---- who may enter


def _of_person(person_id: Any) -> Select[Any]:
    """Engagements with this person among their auditors: added as a person, by link, or by an
    invitation that they accepted.
    """
    a = EngagementAuditor
    known = or_(a.person_id == person_id, Invitation.accepted_by == person_id)
    mine = (
        select(a.engagement_id)
        .outerjoin(Invitation, Invitation.id == a.invitation_id)
        .where(known, a.removed_at.is_(None))
    )
    return select(Engagement).where(Engagement.id.in_(mine))


def _open(now: Any) -> Any:
    return (Engagement.opens_at <= now) & has_not_ended(now)


def has_not_ended(now: Any) -> Any:
    """Of an engagement: it is open or still to come."""
    return (Engagement.closes_at > now) & or_(
        Engagement.ended_at.is_(None), Engagement.ended_at > now
    )


def current_at(person_id: UUID, now: datetime) -> Sequence[Engagement]:
    return session().scalars(_of_person(person_id).where(_open(now)).order_by(Engagement.ref)).all()


def ids_of_current(person: Any, now: Any) -> Select[Any]:
    """The ids of a person's engagements that are open, as a select over parameters."""
    return _of_person(person).where(_open(now)).with_only_columns(Engagement.id)


def current(person_id: UUID) -> Sequence[Engagement]:
    """The engagements of this person that are open now."""
    return current_at(person_id, clock.now())


def may_enter(who: Actor, now: datetime) -> bool:
    """Whoever is only an auditor here may sign in while an engagement of theirs is open."""
    return who.role != "auditor" or (
        who.person_id is not None and bool(current_at(who.person_id, now))
    )


def may_keep_still() -> bool:
    """Whether there is an engagement that asks for it, at whatever time."""
    return bool(
        session().scalar(
            select(
                exists().where(
                    Engagement.freezes_changes, Engagement.tenant_id == acting.actor().tenant_id
                )
            )
        )
    )


def keeping_still(now: datetime) -> Engagement | None:
    """An open engagement during which the tenant wants its evidence and controls left as they
    are.
    """
    query = (
        select(Engagement)
        .where(_open(now), Engagement.freezes_changes)
        .order_by(Engagement.closes_at.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


# ---- what is in scope


@dataclass(frozen=True, slots=True)
class EngagementScope:
    """Ids of what engagements limited to a framework show together.

    Of a piece that is not in `evidence`, only what was provided is shown.
    """

    controls: frozenset[UUID]
    evidence: frozenset[UUID]
    versions: frozenset[UUID]  # provided in a request, whatever they are about


def criteria_below(framework_id: UUID, criteria: Collection[str]) -> list[UUID]:
    """The requirements with these refs and everything below them; without refs, the whole
    framework.

    In every version of that framework that is installed: assessments pin one, and mappings stay
    with theirs.
    """
    key = frameworks.framework_by_id(framework_id).key
    versions = [each.id for each in frameworks.installed() if each.key == key]
    return [each for version in versions for each in _below(version, criteria)]


def _below(framework_id: UUID, criteria: Collection[str]) -> list[UUID]:
    every = frameworks.requirements(framework_id)
    if not criteria:
        return [each.id for each in every]
    parents = {each.ref: each.parent_ref for each in every}
    return [each.id for each in every if _is_below(each.ref, parents, frozenset(criteria))]


def _is_below(ref: str | None, parents: Mapping[str, str | None], wanted: frozenset[str]) -> bool:
    while ref is not None:
        if ref in wanted:
            return True
        ref = parents.get(ref)
    return False


def controls_in(engagement: Engagement) -> Sequence[tuple[UUID, str, str]]:
    """(id, ref, title) of the live controls in its scope, by ref."""
    query = select(Control.id, Control.ref, Control.title).where(Control.retired_at.is_(None))
    if engagement.framework_id is not None:
        asked = criteria_below(engagement.framework_id, engagement.criteria)
        answering = select(ControlMapping.control_id).where(
            ControlMapping.requirement_id.in_(asked), ControlMapping.removed_at.is_(None)
        )
        query = query.where(Control.id.in_(answering))
    return [(row.id, row.ref, row.title) for row in session().execute(query.order_by(Control.ref))]


def shown_by(engagements: Sequence[Engagement]) -> EngagementScope:
    """What these engagements show together; each of them is about a framework."""
    controls = frozenset(control for each in engagements for control, _, _ in controls_in(each))
    linked = select(EvidenceLink.evidence_id).where(
        EvidenceLink.control_id.in_(controls), EvidenceLink.removed_at.is_(None)
    )
    given = _provided_in([each.id for each in engagements])
    return EngagementScope(
        controls, frozenset(session().scalars(linked)), frozenset(session().scalars(given))
    )


def provisions(versions: Collection[UUID], now: datetime) -> dict[UUID, Engagement]:
    """Those of these versions that auditors were given in an engagement that is not over: in which
    one.
    """
    a = RequestAttachment
    query = (
        select(a.version_id, Engagement)
        .join(AuditRequest, AuditRequest.id == a.request_id)
        .join(Engagement, Engagement.id == AuditRequest.engagement_id)
        .where(
            a.version_id == any_(literal(list(versions), ARRAY(Uuid))),
            a.provided_at.is_not(None),
            has_not_ended(now),
        )
        .order_by(Engagement.closes_at)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def _provided_in(engagements: Collection[UUID]) -> Select[UUID]:
    return (
        select(RequestAttachment.version_id)
        .join(AuditRequest, AuditRequest.id == RequestAttachment.request_id)
        .where(
            AuditRequest.engagement_id.in_(engagements), RequestAttachment.provided_at.is_not(None)
        )
    )


# ---- engagements


def engagement(engagement_id: UUID, *, lock: bool = False) -> Engagement:
    """One that the acting person may see: auditors see their own, and only while it is open."""
    found = find(Engagement, engagement_id, what="engagement", lock=lock)
    who = acting.actor()
    if who.role == "auditor" and found.id not in {
        each.id for each in current(who.person_id or UUID(int=0))
    }:
        raise NotFound("There is no such engagement here.")
    return found


def engagements() -> Sequence[Engagement]:
    """Those that the acting person may see, the newest first."""
    who = acting.actor()
    if who.role == "auditor":
        return current(who.person_id or UUID(int=0))
    return (
        session()
        .scalars(select(Engagement).order_by(Engagement.closes_at.desc(), Engagement.ref))
        .all()
    )


def just_closed(now: datetime) -> Sequence[UUID]:
    """The tenants of engagements whose window closed within the life of a session; asked in a
    transaction of no tenant, to which the database shows only such engagements.
    """
    closed = (
        Engagement.closes_at <= now,
        Engagement.closes_at > now - ABSOLUTE,
        Engagement.ended_at.is_(None),
    )
    return session().scalars(select(Engagement.tenant_id).where(*closed).distinct()).all()


def not_over(now: datetime) -> Sequence[Engagement]:
    """Planned or open, locked."""
    query = select(Engagement).where(Engagement.ended_at.is_(None), Engagement.closes_at > now)
    return session().scalars(query.order_by(Engagement.ref).with_for_update()).all()


def same_engagement(facts: Mapping[str, Any]) -> Engagement | None:
    """One that was not ended and says the same in every respect."""
    query = select(Engagement).filter_by(**facts).where(Engagement.ended_at.is_(None))
    return session().scalars(query.order_by(Engagement.ref).limit(1)).one_or_none()


def refs() -> Sequence[str]:
    return session().scalars(select(Engagement.ref)).all()


def framework_of(held: Engagement) -> str:
    """Its framework in words."""
    if held.framework_id is None:
        return "All controls"
    found = frameworks.framework_by_id(held.framework_id)
    return f"{found.title}{', ' + ', '.join(held.criteria) if held.criteria else ''}"


def phase_of(held: Engagement) -> str:
    return phase(held.opens_at, held.closes_at, held.ended_at, clock.now())


@dataclass(frozen=True, slots=True)
class AuditorView:
    """Somebody of the firm; `way` is how they sign in, `person_id` is known after their first
    sign-in.

    `is_revoked`: their membership ended or their invitation was withdrawn, so they can't sign in this
    way.
    """

    auditor: EngagementAuditor
    person_id: UUID | None
    is_revoked: bool

    @property
    def sign_in_method(self) -> str:
        return "Personal link and email code" if self.auditor.link_hash else "Single sign-on"


def auditors(engagement_id: UUID) -> list[AuditorView]:
    return _auditors(EngagementAuditor.engagement_id == engagement_id)


def ways_of(email: str) -> list[AuditorView]:
    """Of whoever is let in at this address, over all engagements."""
    return _auditors(EngagementAuditor.email == email)


def _auditors(those: ColumnElement[bool]) -> list[AuditorView]:
    a = EngagementAuditor
    who = func.coalesce(a.person_id, Invitation.accepted_by)
    query = select(a, who, Membership.ended_at, Invitation.withdrawn_at, Invitation.accepted_at)
    query = query.outerjoin(Invitation, Invitation.id == a.invitation_id).outerjoin(
        Membership, Membership.person_id == who
    )
    rows = session().execute(
        query.where(those, a.removed_at.is_(None)).order_by(a.name, a.email, a.created_at)
    )
    return [
        AuditorView(each, person, bool(ended) or bool(withdrawn and not taken))
        for each, person, ended, withdrawn, taken in rows
    ]


def open_invitations(engagement_id: UUID) -> Sequence[UUID]:
    """Those that lead to this engagement and were not accepted yet."""
    query = select(Invitation.id).join(
        EngagementAuditor, EngagementAuditor.invitation_id == Invitation.id
    )
    query = query.where(
        EngagementAuditor.engagement_id == engagement_id, EngagementAuditor.removed_at.is_(None)
    )
    return (
        session()
        .scalars(
            query.where(
                Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None)
            ).distinct()
        )
        .all()
    )


def needed_until(invitation_id: UUID) -> datetime | None:
    """When the last of the engagements closes that this invitation leads to; None when it leads to
    none any more.
    """
    query = select(func.max(Engagement.closes_at)).join(
        EngagementAuditor, EngagementAuditor.engagement_id == Engagement.id
    )
    live = (EngagementAuditor.removed_at.is_(None), Engagement.ended_at.is_(None))
    return session().scalar(query.where(EngagementAuditor.invitation_id == invitation_id, *live))


def audits(email: str) -> str | None:
    """Why this address can't be a member: it is an auditor's, and the engagement isn't over."""
    a, email = EngagementAuditor, email.strip().lower()
    query = (
        select(Engagement.ref)
        .join(a, a.engagement_id == Engagement.id)
        .where(a.email == email, a.removed_at.is_(None))
    )
    ref = session().scalar(
        query.where(Engagement.ended_at.is_(None), Engagement.closes_at > clock.now()).limit(1)
    )
    return (
        f"{email} is an auditor of {ref}. Members can't audit their own tenant. Remove them from {ref}"
        " first."
        if ref
        else None
    )


def auditor(engagement_id: UUID, auditor_id: UUID) -> EngagementAuditor:
    found = find(EngagementAuditor, auditor_id, what="auditor", lock=True)
    if found.engagement_id != engagement_id or found.removed_at is not None:
        raise NotFound("There is no such auditor in this engagement.")
    return found


def auditors_who_are(person_id: UUID, addresses: Collection[str]) -> Sequence[EngagementAuditor]:
    """Every row of this person, removed ones included, locked."""
    a = EngagementAuditor
    query = select(a).where(
        or_(a.person_id == person_id, func.lower(a.email).in_([each.lower() for each in addresses]))
    )
    return session().scalars(query.order_by(a.id).with_for_update()).all()


def auditor_by_link(link_hash: bytes, *, lock: bool = False) -> EngagementAuditor | None:
    query = select(EngagementAuditor).where(
        EngagementAuditor.link_hash == link_hash, EngagementAuditor.removed_at.is_(None)
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def link_of(person_id: UUID, *, lock: bool = False) -> tuple[EngagementAuditor, Engagement] | None:
    """By which this person comes into an engagement that is open now."""
    a = EngagementAuditor
    query = (
        select(a, Engagement)
        .join(Engagement, Engagement.id == a.engagement_id)
        .where(_open(clock.now()), a.person_id == person_id)
    )
    query = (
        query.where(a.link_hash.is_not(None), a.removed_at.is_(None))
        .order_by(Engagement.closes_at.desc(), a.id)
        .limit(1)
    )
    row = session().execute(query.with_for_update(of=a) if lock else query).one_or_none()
    return (row[0], row[1]) if row else None


def auditors_without_access(now: datetime) -> Sequence[UUID]:
    """The auditors who have a session although none of their engagements is open.

    Members who were auditors are none.
    """
    a = EngagementAuditor
    who = func.coalesce(a.person_id, Invitation.accepted_by)
    every = (
        select(who).outerjoin(Invitation, Invitation.id == a.invitation_id).where(who.is_not(None))
    )
    inside = every.join(Engagement, Engagement.id == a.engagement_id).where(
        _open(now), a.removed_at.is_(None)
    )
    signed_in = select(Session.person_id).join(
        Membership, Membership.person_id == Session.person_id
    )
    signed_in = signed_in.where(
        Session.ended_at.is_(None), Membership.role == "auditor", Membership.ended_at.is_(None)
    )
    found = every.where(who.not_in(inside), who.in_(signed_in)).distinct().order_by(who)
    return session().scalars(found).all()


# ---- requests


@dataclass(frozen=True, slots=True)
class Counts:
    """How many requests stand in each state."""

    by_state: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    def __getitem__(self, state: str) -> int:
        return self.by_state.get(state, 0)


def counts(ids: Collection[UUID]) -> dict[UUID, Counts]:
    """The same for each of these engagements, in one statement."""
    query = select(AuditRequest.engagement_id, AuditRequest.state, func.count()).where(
        AuditRequest.engagement_id.in_(ids)
    )
    found: dict[UUID, dict[str, int]] = {i: {} for i in ids}
    for of, state, count in session().execute(
        query.group_by(AuditRequest.engagement_id, AuditRequest.state)
    ):
        found[of][state] = count
    return {i: Counts(states) for i, states in found.items()}


REQUEST_SORTS: Mapping[str, tuple[Any, ...]] = {
    "ref": (AuditRequest.ref, AuditRequest.id),
    "state": (AuditRequest.state, AuditRequest.ref, AuditRequest.id),
    "since": (AuditRequest.state_since, AuditRequest.id),
}


def requests(
    engagement_id: UUID,
    *,
    q: str = "",
    state: str = "",
    owner: str = "",
    sort: str = "ref",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """A page of its requests. `owner` is "me" or empty."""
    wanted = _requests(engagement_id, q=q, state=state, owner=owner)
    columns = REQUEST_SORTS[sort.removeprefix("-")]
    return keyset(wanted, *columns, after=after, size=size, descending=sort.startswith("-"))


def every_request(engagement_id: UUID) -> Sequence[AuditRequest]:
    query = select(AuditRequest).where(AuditRequest.engagement_id == engagement_id)
    return session().scalars(query.order_by(AuditRequest.ref, AuditRequest.id)).all()


def first_requests(
    engagement_id: UUID, states: Collection[str], *, limit: int = 8
) -> Sequence[AuditRequest]:
    """Of those in one of these states, the first by ref."""
    query = select(AuditRequest).where(
        AuditRequest.engagement_id == engagement_id, AuditRequest.state.in_(states)
    )
    return session().scalars(query.order_by(AuditRequest.ref, AuditRequest.id).limit(limit)).all()


def _requests(engagement_id: UUID, *, q: str, state: str, owner: str) -> Select[Any]:
    query = select(AuditRequest).where(AuditRequest.engagement_id == engagement_id, *_has_words(q))
    if state:
        query = query.where(AuditRequest.state == state)
    if owner == "me":
        query = query.where(is_owner.sql(acting.actor(), AuditRequest))
    return query


def _has_words(q: str) -> Iterator[ColumnElement[bool]]:
    for word in q.split():
        yield AuditRequest.ref.icontains(word, autoescape=True) | AuditRequest.title.icontains(
            word, autoescape=True
        )


def request(
    engagement_id: UUID, request_id: UUID, *, lock: bool = False
) -> tuple[Engagement, AuditRequest]:
    """A request of that engagement; with another engagement's id there is none."""
    held = engagement(engagement_id)
    found = find(AuditRequest, request_id, what="request", lock=lock)
    if found.engagement_id != held.id:
        raise NotFound("There is no such request in this engagement.")
    return held, found


def request_by_id(request_id: UUID) -> tuple[Engagement, AuditRequest]:
    """A request, locked, and its engagement."""
    found = find(AuditRequest, request_id, what="request", lock=True)
    return engagement(found.engagement_id), found


TURNS = {
    "engagement.request.assigned": "its owner or due date changed",
    "engagement.request.version.attached": "evidence was attached",
    "engagement.request.version.detached": "evidence was removed",
    "engagement.request.provided": "a response was provided",
    "engagement.request.accepted": "the response was accepted",
    "engagement.request.returned": "the response was returned",
}  # each is one version of the request
UNSEEN_BY_AUDITORS = frozenset(
    {"engagement.request.version.attached", "engagement.request.version.detached"}
)  # what is being prepared


def turns_since(request: AuditRequest, seen: int) -> list[str]:
    """In words, what became of the request after that version of it, the oldest first; out of the
    log.
    """
    hidden = UNSEEN_BY_AUDITORS if acting.actor().role == "auditor" else frozenset()
    entries = [e.action for e in audit.entries_about([request.id], limit=200) if e.action in TURNS][
        : max(request.version - seen, 0)
    ]
    said = [TURNS[name] for name in reversed(entries) if name not in hidden]
    return [
        words for n, words in enumerate(said) if words not in said[n + 1 : n + 2]
    ]  # five in a row are told once


def known_rows(engagement_id: UUID) -> dict[str, str | None]:
    """By ref, the digest of the line that it came from, of every request."""
    query = select(AuditRequest.ref, AuditRequest.row).where(
        AuditRequest.engagement_id == engagement_id
    )
    return {row.ref: row.row for row in session().execute(query)}


def thread(request_id: UUID, *, after: str | None = None, size: int = 100) -> Keyset:
    """The newest remarks, in the order of time; the next page is that of the earlier ones."""
    query = select(RequestRemark).where(RequestRemark.request_id == request_id)
    found = keyset(
        query, RequestRemark.written_at, RequestRemark.id, after=after, size=size, descending=True
    )
    return Keyset(found.rows[::-1], found.next, size)


def threads(request_ids: Collection[UUID]) -> Sequence[RequestRemark]:
    """Of several requests, in the order of time."""
    query = select(RequestRemark).where(RequestRemark.request_id.in_(request_ids))
    return session().scalars(query.order_by(RequestRemark.written_at, RequestRemark.id)).all()


@dataclass(frozen=True, slots=True)
class Attached:
    """A version that answers a request."""

    attachment: RequestAttachment
    version: EvidenceVersion
    evidence: Evidence


def attached(request_ids: Iterable[UUID], *, provided_only: bool = False) -> list[Attached]:
    """What is attached to these requests, by evidence; an auditor sees what was provided, not what
    is being prepared.
    """
    query = (
        select(RequestAttachment, EvidenceVersion, Evidence)
        .join(EvidenceVersion, EvidenceVersion.id == RequestAttachment.version_id)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .where(RequestAttachment.request_id.in_(list(request_ids)))
    )
    if provided_only or acting.actor().role == "auditor":
        query = query.where(RequestAttachment.provided_at.is_not(None))
    rows = session().execute(query.order_by(Evidence.ref, EvidenceVersion.number))
    return [Attached(row[0], row[1], row[2]) for row in rows]


def attachment(request_id: UUID, attachment_id: UUID) -> RequestAttachment:
    found = find(RequestAttachment, attachment_id, what="attachment", lock=True)
    if found.request_id != request_id:
        raise NotFound("There is no such attachment here.")
    return found


def version(version_id: UUID) -> EvidenceVersion:
    return find(EvidenceVersion, version_id, what="version")


def version_choices(held: Engagement, q: str = "", *, limit: int = 20) -> list[tuple[UUID, str]]:
    """(id, "EV-0012 version 3: Penetration test report, to 30 June 2026") of the newest versions that may
    answer its requests.

    Without words those in scope that cover a day of the period; with words whatever they find,
    since the tenant may give its auditors what no control is linked to.
    """
    v = EvidenceVersion
    query = _attachable()
    if not q.split():
        query = query.where(
            v.period_from <= held.period_to, v.period_to >= held.period_from, *_in_scope(held)
        )
    for word in q.split():
        query = query.where(
            Evidence.ref.icontains(word, autoescape=True)
            | Evidence.title.icontains(word, autoescape=True)
        )
    newest = query.order_by(v.uploaded_at.desc(), v.id.desc()).limit(limit)
    rows = session().execute(
        newest.with_only_columns(v.id, v.number, v.period_to, Evidence.ref, Evidence.title)
    )
    return [
        (r.id, f"{r.ref} version {r.number}: {r.title}, to {long_day(r.period_to)}") for r in rows
    ]


def attachable(version_id: UUID) -> EvidenceVersion | None:
    """The version, when it may answer a request; its evidence stays as it is until the transaction
    ends.
    """
    query = _attachable().where(EvidenceVersion.id == version_id).with_for_update(of=Evidence)
    return session().scalars(query).one_or_none()


def _attachable() -> Select[Any]:
    """Versions but for those that were rejected or whose file was destroyed, or is to be."""
    v = EvidenceVersion
    rejected = select(EvidenceReview.id).where(
        EvidenceReview.version_id == v.id, EvidenceReview.decision == "rejected"
    )
    gone = select(EvidenceDeletion.id).where(
        EvidenceDeletion.version_id == v.id, EvidenceDeletion.state.in_(DECIDED)
    )
    return (
        select(v)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(~rejected.exists(), ~gone.exists())
    )


def _in_scope(held: Engagement) -> Iterator[ColumnElement[bool]]:
    if held.framework_id is not None:
        links = EvidenceLink
        linked = select(links.evidence_id).where(
            links.control_id.in_([i for i, _, _ in controls_in(held)]), links.removed_at.is_(None)
        )
        yield Evidence.id.in_(linked)


def import_of(engagement_id: UUID, import_id: UUID, *, lock: bool = False) -> RequestImport:
    found = find(RequestImport, import_id, what="import", lock=lock)
    if found.engagement_id != engagement_id:
        raise NotFound("There is no such import in this engagement.")
    return found


# ---- what waits


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that the acting person can move forward."""

    request: AuditRequest
    firm: str


WAITING_SORTS: Mapping[str, tuple[Any, ...]] = {
    "request": (AuditRequest.title, AuditRequest.id),
    "firm": (Engagement.firm, AuditRequest.ref, AuditRequest.id),
    "due": (
        func.coalesce(AuditRequest.due_on, date.max, type_=Date),
        AuditRequest.ref,
        AuditRequest.id,
    ),
    "since": (AuditRequest.state_since, AuditRequest.id),
}


def waiting(
    wanted: Mapping[str, str], *, sort: str = "due", after: str | None = None, size: int = 50
) -> Keyset:
    """A page of it.

    For the tenant: what is open or returned and theirs (or nobody's, for who manages); for an
    auditor: what was provided. `wanted` holds the filters: q, state, engagement (its ref).
    """
    query = (
        _waiting()
        .add_columns(AuditRequest, Engagement.firm)
        .where(*_has_words(wanted.get("q", "")))
    )
    if "state" in wanted:
        query = query.where(AuditRequest.state == wanted["state"])
    if "engagement" in wanted:
        query = query.where(Engagement.ref == wanted["engagement"])
    columns = WAITING_SORTS[sort.removeprefix("-")]
    found = keyset(query, *columns, after=after, size=size, descending=sort.startswith("-"))
    return Keyset([PendingRequest(request, firm) for request, firm in found.rows], found.next, size)


def count_waiting() -> int:
    return session().scalar(_waiting().add_columns(func.count())) or 0


def _waiting() -> Select[Any]:
    who, now = acting.actor(), clock.now()
    query = (
        select()
        .select_from(AuditRequest)
        .join(Engagement, Engagement.id == AuditRequest.engagement_id)
        .where(_open(now))
    )
    if who.role == "auditor":
        mine = [each.id for each in current(who.person_id or UUID(int=0))]
        query = query.where(AuditRequest.engagement_id.in_(mine), AuditRequest.state == "provided")
    else:
        owned = is_owner.sql(who, AuditRequest)
        if allowed(permissions.MANAGE):
            owned |= AuditRequest.owner_id.is_(None)
        query = query.where(AuditRequest.state.in_(("open", "returned")), owned)
    return query


# ---- packages


def packages(engagement_id: UUID, *, limit: int = 20) -> list[Run[EvidencePackage]]:
    query = with_work(EvidencePackage).where(EvidencePackage.engagement_id == engagement_id)
    rows = session().execute(
        query.order_by(EvidencePackage.created_at.desc(), EvidencePackage.id.desc()).limit(limit)
    )
    return [Run(package, work) for package, work in rows]


def package(engagement_id: UUID, package_id: UUID) -> Run[EvidencePackage]:
    """A package of that engagement, seen by who may see the engagement."""
    engagement(engagement_id)
    found = find(EvidencePackage, package_id, what="package")
    if found.engagement_id != engagement_id:
        raise NotFound("There is no such package in this engagement.")
    return run_of(found)


def visible_package(package_id: UUID) -> EvidencePackage:
    """The same by the package's id alone."""
    found = packaged(package_id)
    engagement(found.engagement_id)
    return found


def locked_package(package_id: UUID) -> EvidencePackage:
    return find(EvidencePackage, package_id, what="package", lock=True)


def packaged(package_id: UUID) -> EvidencePackage:
    """The same without a lock, for reading in a snapshot."""
    return find(EvidencePackage, package_id, what="package")


def verifier_keys() -> list[str]:
    """Of the tenant's log, the one that signs now first: they verify packages too."""
    return [str(logs.verifier(key)) for key in logs.all_keys()]


# ---- what goes into a package


@dataclass(frozen=True, slots=True)
class PackagedVersion:
    """A version that belongs into a package, with the controls that it supports; `gone` when two
    persons destroyed its file.
    """

    version: EvidenceVersion
    ref: str
    title: str
    controls: tuple[str, ...]
    deletion: EvidenceDeletion | None = None


def files(engagement: Engagement) -> list[PackagedVersion]:
    """Versions that cover a day of the period and support a control in scope, and all that was
    provided; two statements.
    """
    controls = {i: ref for i, ref, _ in controls_in(engagement)}
    links = select(EvidenceLink.evidence_id, EvidenceLink.control_id).where(
        EvidenceLink.control_id.in_(controls), EvidenceLink.removed_at.is_(None)
    )
    supports: dict[UUID, list[str]] = {}
    for evidence_id, control_id in session().execute(links):
        supports.setdefault(evidence_id, []).append(controls[control_id])
    v = EvidenceVersion
    given = select(RequestAttachment.version_id).join(
        AuditRequest, AuditRequest.id == RequestAttachment.request_id
    )
    given = given.where(
        AuditRequest.engagement_id == engagement.id, RequestAttachment.provided_at.is_not(None)
    )
    covering = (
        v.evidence_id.in_(list(supports))
        & (v.period_from <= engagement.period_to)
        & (v.period_to >= engagement.period_from)
    )
    gone = EvidenceDeletion
    query = select(v, Evidence.ref, Evidence.title, gone).join(
        Evidence, Evidence.id == v.evidence_id
    )
    query = query.outerjoin(gone, (gone.version_id == v.id) & gone.state.in_(DECIDED)).where(
        covering | v.id.in_(given)
    )
    rows = session().execute(query.order_by(Evidence.ref, v.number))
    return [
        PackagedVersion(
            row[0], row[1], row[2], tuple(sorted(supports.get(row[0].evidence_id, ()))), row[3]
        )
        for row in rows
    ]


def pseudonyms(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """As the log calls these people, in short: what leaves the house names nobody."""
    query = select(Membership.person_id, Membership.pseudonym).where(
        Membership.person_id.in_({i for i in ids if i})
    )
    return {row.person_id: f"person {row.pseudonym[:8]}" for row in session().execute(query)}


def requirement_refs(
    control_ids: Collection[UUID], framework_id: UUID | None
) -> dict[UUID, list[str]]:
    """By control, the refs of the requirements that it answers for."""
    query = select(ControlMapping.control_id, Requirement.ref).join(
        Requirement, Requirement.id == ControlMapping.requirement_id
    )
    query = query.where(
        ControlMapping.control_id.in_(control_ids), ControlMapping.removed_at.is_(None)
    )
    if framework_id is not None:
        query = query.where(Requirement.framework_id == framework_id)
    found: dict[UUID, list[str]] = {}
    for control_id, ref in session().execute(query.order_by(Requirement.ref)):
        found.setdefault(control_id, []).append(ref)
    return found
