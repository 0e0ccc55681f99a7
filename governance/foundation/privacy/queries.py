"""Read erasures, holds, unmaskings and retention. Read only."""

from collections.abc import Collection, Sequence
from contextvars import ContextVar
from uuid import UUID

from sqlalchemy import or_, select

from governance.foundation.approvals import inbox
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import is_open
from governance.foundation.people import queries as people
from governance.foundation.people.member_erasure_actions import data_subjects_of
from governance.foundation.people.models import Membership, Person
from governance.foundation.privacy.models import Erasure, LegalHold, RetentionRule, Unmasking
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import find, session

MAX_ROWS_SHOWN = 50
shown: ContextVar[frozenset[str]] = ContextVar(
    "shown", default=frozenset()
)  # Pseudonyms whose names this request has looked up.
DEFAULT_MONTHS = 84
ERASURE, UNMASKING = "erasure", "unmasking"  # Kinds of approval.


def unmasked(subjects: Collection[str]) -> dict[str, str]:
    """Return pseudonym → name, for those that the acting person may see now.

    They requested it, a second person approved, and the hour is not over.
    """
    if not subjects:
        return {}
    query = (
        select(Membership.pseudonym, Person.name)
        .join(Membership.person)
        .join(Unmasking, Unmasking.subject == Membership.pseudonym)
        .where(
            Membership.pseudonym.in_(set(subjects)),
            Unmasking.requested_by == current.actor().person_id,
            Unmasking.until > clock.now(),
        )
    )
    names = {row.pseudonym: row.name for row in session().execute(query)}
    if names:
        shown.set(shown.get() | names.keys())
    return names


def unused(subjects: Collection[str]) -> Sequence[Unmasking]:
    """Return those that the acting person may see and has not seen yet.

    They are locked, since two pages may show a name at once.
    """
    query = select(Unmasking).where(
        Unmasking.subject.in_(set(subjects)),
        Unmasking.requested_by == current.actor().person_id,
        Unmasking.until > clock.now(),
        Unmasking.used_at.is_(None),
    )
    return session().scalars(query.with_for_update()).all()


def my_open_unmasking(subject: str) -> Approval | None:
    """Return the acting person's request that nobody has decided yet."""
    query = (
        select(Approval)
        .join(Unmasking, Unmasking.id == Approval.target_id)
        .where(
            Approval.kind == UNMASKING,
            Approval.state == "open",
            Unmasking.subject == subject,
            Unmasking.requested_by == current.actor().person_id,
        )
    )
    return next((each for each in session().scalars(query) if is_open(each)), None)


def retention(*, lock: bool = False) -> RetentionRule | None:
    """Return the tenant's own rule; without one the default of seven years applies."""
    query = select(RetentionRule)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def months_kept() -> int:
    rule = retention()
    return rule.months if rule else DEFAULT_MONTHS


def own_tenant() -> Tenant:
    found = session().get(Tenant, current.actor().tenant_id)
    if found is None:
        raise RuntimeError("the tenant is gone")
    return found


def open_erasure(subject: str) -> Erasure | None:
    """Return the one request about a person that is not decided, or not yet carried out."""
    query = select(Erasure).where(
        Erasure.subject == subject, Erasure.state.in_(("requested", "approved"))
    )
    return session().scalars(query).one_or_none()


def approved_erasures(subject: str | None) -> Sequence[Erasure]:
    """Return erasures that are approved and not yet carried out: of one person, or of anybody.

    They are locked, since one may begin just now.
    """
    query = select(Erasure).where(Erasure.state == "approved")
    query = query.where(Erasure.subject == subject) if subject else query
    return session().scalars(query.order_by(Erasure.id).with_for_update()).all()


def erasure(erasure_id: UUID, *, lock: bool = False) -> Erasure:
    return find(Erasure, erasure_id, what="erasure", lock=lock)


def unmasking(unmasking_id: UUID, *, lock: bool = False) -> Unmasking:
    return find(Unmasking, unmasking_id, what="unmasking request", lock=lock)


def hold(hold_id: UUID, *, lock: bool = False) -> LegalHold:
    return find(LegalHold, hold_id, what="legal hold", lock=lock)


def erasures() -> Sequence[Erasure]:
    """Return the newest, open ones first."""
    query = select(Erasure).order_by(
        Erasure.state.in_(("requested", "approved")).desc(), Erasure.created_at.desc(), Erasure.id
    )
    return session().scalars(query.limit(MAX_ROWS_SHOWN)).all()


def unmaskings() -> list[tuple[Unmasking, Approval]]:
    """Return the newest with their approvals, open ones first."""
    query = select(Unmasking, Approval).join(
        Approval, (Approval.target_id == Unmasking.id) & (Approval.kind == UNMASKING)
    )
    newest = query.order_by(
        (Approval.state == "open").desc(), Unmasking.created_at.desc(), Unmasking.id
    ).limit(MAX_ROWS_SHOWN)
    return [(unmasking, approval) for unmasking, approval in session().execute(newest)]


def erasures_of(subject: str) -> Sequence[UUID]:
    """Return the ids of every request about a person, in any state."""
    return session().scalars(select(Erasure.id).where(Erasure.subject == subject)).all()


def unmaskings_of(subject: str) -> Sequence[UUID]:
    return session().scalars(select(Unmasking.id).where(Unmasking.subject == subject)).all()


def holds() -> Sequence[LegalHold]:
    """Return the newest, active ones first."""
    query = select(LegalHold).order_by(
        LegalHold.released_at.is_not(None), LegalHold.created_at.desc(), LegalHold.id
    )
    return session().scalars(query.limit(MAX_ROWS_SHOWN)).all()


def active_holds(subject: str) -> Sequence[LegalHold]:
    """Return what forbids erasing this person: holds on them, and holds on the tenant."""
    query = select(LegalHold).where(LegalHold.released_at.is_(None))
    return (
        session()
        .scalars(query.where(or_(LegalHold.subject == subject, LegalHold.subject.is_(None))))
        .all()
    )


def all_active_holds() -> Sequence[LegalHold]:
    return session().scalars(select(LegalHold).where(LegalHold.released_at.is_(None))).all()


def subjects_under_hold(pseudonyms: Collection[str]) -> list[str]:
    """Return the subjects that must stay readable because of holds.

    They are those people, and the addresses that they were invited at.
    """
    found = people.by_pseudonyms(pseudonyms)
    invited = [
        subject
        for member in found
        for subject in data_subjects_of(member.person_id, [member.person.email])
    ]
    return [*pseudonyms, *invited]


def waiting() -> int:
    """Count the requests that await the acting person's decision."""
    return inbox.count([ERASURE, UNMASKING])
