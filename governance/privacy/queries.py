"""What stands about erasures, holds, unmaskings and retention. Read only."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, or_, select

from governance.kernel import clock, current
from governance.kernel.access import allowed
from governance.kernel.db import find, session
from governance.people.models import Membership, Person
from governance.privacy import permissions
from governance.privacy.models import Erasure, LegalHold, RetentionRule, Unmasking

SHOWN = 50


def unmasked(subjects: Collection[str]) -> dict[str, str]:
    """Pseudonym → name, for those that the acting person may see now: he asked, a second person agreed, the hour is not over."""
    if not subjects:
        return {}
    query = (
        select(Membership.pseudonym, Person.name)
        .join(Membership.person)
        .join(Unmasking, Unmasking.subject == Membership.pseudonym)
        .where(
            Membership.pseudonym.in_(set(subjects)),
            Unmasking.asked_by == current.actor().person_id,
            Unmasking.state == "approved",
            Unmasking.until > clock.now(),
        )
    )
    return {row.pseudonym: row.name for row in session().execute(query)}


def retention() -> RetentionRule | None:
    """The tenant's own rule; without one the default of seven years holds."""
    return session().scalars(select(RetentionRule)).one_or_none()


def erasure(erasure_id: UUID, *, lock: bool = False) -> Erasure:
    return find(Erasure, erasure_id, what="erasure", lock=lock)


def unmasking(unmasking_id: UUID, *, lock: bool = False) -> Unmasking:
    return find(Unmasking, unmasking_id, what="request to unmask", lock=lock)


def hold(hold_id: UUID, *, lock: bool = False) -> LegalHold:
    return find(LegalHold, hold_id, what="legal hold", lock=lock)


def erasures() -> Sequence[Erasure]:
    """The newest, open ones first."""
    query = select(Erasure).order_by(Erasure.state.in_(("asked", "approved")).desc(), Erasure.created_at.desc(), Erasure.id)
    return session().scalars(query.limit(SHOWN)).all()


def unmaskings() -> Sequence[Unmasking]:
    """The newest, open ones first."""
    query = select(Unmasking).order_by((Unmasking.state == "asked").desc(), Unmasking.created_at.desc(), Unmasking.id)
    return session().scalars(query.limit(SHOWN)).all()


def holds() -> Sequence[LegalHold]:
    """The newest, standing ones first."""
    query = select(LegalHold).order_by(LegalHold.released_at.is_not(None), LegalHold.created_at.desc(), LegalHold.id)
    return session().scalars(query.limit(SHOWN)).all()


def standing_holds(subject: str) -> Sequence[LegalHold]:
    """What forbids erasing this person: holds on him, and holds on the whole tenant."""
    query = select(LegalHold).where(LegalHold.released_at.is_(None))
    return session().scalars(query.where(or_(LegalHold.subject == subject, LegalHold.subject.is_(None)))).all()


def waiting() -> int:
    """How many requests the acting person could decide: open, and not his own."""
    me = current.actor().person_id
    open_here = [
        select(func.count()).where(model.state == "asked", model.asked_by != me).scalar_subquery()
        for model, needs in ((Erasure, permissions.ERASE), (Unmasking, permissions.UNMASK))
        if allowed(needs)
    ]
    return sum(session().execute(select(*open_here)).one()) if open_here else 0
