"""Queries for access reviews, their items with current state, and who can review."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import false, func, select
from sqlalchemy.orm import joinedload

from governance.assurance.access_reviews.models import AccessReview, AccessReviewItem
from governance.assurance.access_reviews.permissions import REVIEW
from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.foundation.api_keys import queries as keys
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.people.models import ERASED, ERASED_NAME, Membership, Person, Session
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.pages.rendering import Keyset, sorted_page
from governance.kernel.safety.access import ROLE_NAMES, TENANT_ROLES

ACCESS_REVIEW_CONTROL = "ACC-01"
ASSIGNABLE_ROLES = tuple(
    role for role in TENANT_ROLES if role != "auditor"
)  # An auditor's role comes with the engagement.


@dataclass(frozen=True, slots=True)
class ReviewedAccess:
    """A membership or API key of a review, with its current state."""

    item: AccessReviewItem
    member: Membership | None
    key: ApiKey | None

    @property
    def name(self) -> str:
        if self.member is not None:
            return ERASED_NAME if self.member.via == ERASED else self.member.person.name
        return self.key.name if self.key else ""

    @property
    def detail(self) -> str:
        if self.member is not None:
            return self.member.person.email
        return f"API key {self.key.hint}…" if self.key else ""

    @property
    def held(self) -> str:
        return (
            ROLE_NAMES.get(self.item.held, self.item.held)
            if self.member is not None
            else self.item.held
        )

    @property
    def is_gone(self) -> bool:
        """True if the access ended in another way than by a decision of this review."""
        if self.item.decision is not None:
            return False
        if self.member is not None:
            return self.member.ended_at is not None
        key, now = self.key, clock.now()
        return key is not None and (
            key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= now)
        )

    @property
    def is_open(self) -> bool:
        return self.item.decision is None and not self.is_gone

    @property
    def person_id(self) -> UUID | None:
        """The member, or the person who created the key."""
        return (
            self.member.person_id
            if self.member is not None
            else self.key.made_by
            if self.key
            else None
        )

    @property
    def lower(self) -> tuple[str, ...]:
        """The roles with less access than the current one."""
        if self.member is None or self.member.role not in ASSIGNABLE_ROLES:
            return ()
        return ASSIGNABLE_ROLES[ASSIGNABLE_ROLES.index(self.member.role) + 1 :]

    @property
    def decision_name(self) -> str:
        """The name of the decision, or the reason why none is needed."""
        if self.is_gone:
            return "Ended"
        role = ROLE_NAMES.get(self.item.role or "", "")
        return {"keep": "Kept", "revoke": "Revoked", "lower": f"Downgraded to {role.lower()}"}.get(
            self.item.decision or "", "Not decided"
        )


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    rows: int
    open: int
    kept: int
    lowered: int
    revoked: int
    gone: int

    @property
    def decided(self) -> int:
        return self.rows - self.open


def review(review_id: UUID, *, lock: bool = False) -> AccessReview:
    return find(AccessReview, review_id, what="access review", lock=lock)


def open_review() -> AccessReview | None:
    return (
        session()
        .scalars(select(AccessReview).where(AccessReview.closed_at.is_(None)))
        .one_or_none()
    )


REVIEW_SORTS: Mapping[str, tuple[Any, ...]] = {
    "review": (AccessReview.title, AccessReview.id),
    "begun": (AccessReview.created_at, AccessReview.id),
    "due": (AccessReview.due_on, AccessReview.id),
}


def reviews(
    wanted: Mapping[str, str], *, sort: str = "-begun", after: str | None = None, size: int = 25
) -> Keyset:
    """Return a page of reviews. `wanted` may have q and state (under_way, late, closed)."""
    r, states = (
        AccessReview,
        {
            "closed": AccessReview.closed_at.is_not(None),
            "late": AccessReview.closed_at.is_(None) & (AccessReview.due_on < clock.today()),
            "under_way": AccessReview.closed_at.is_(None) & (AccessReview.due_on >= clock.today()),
        },
    )
    query = select(r).where(
        *(r.title.icontains(word, autoescape=True) for word in wanted.get("q", "").split())
    )
    if "state" in wanted:
        query = query.where(states.get(wanted["state"], false()))
    return sorted_page(query, REVIEW_SORTS, sort, after=after, size=size)


def count_reviews() -> int:
    return session().scalar(select(func.count()).select_from(AccessReview)) or 0


def _rows() -> Any:
    query = select(AccessReviewItem, Membership, ApiKey)
    query = query.outerjoin(Membership, Membership.id == AccessReviewItem.membership_id)
    query = query.outerjoin(ApiKey, ApiKey.id == AccessReviewItem.key_id)
    return query.options(
        joinedload(Membership.person, innerjoin=False)
    )  # An inner join would leave the keys out.


def reviewed_access(
    review_id: UUID, ids: Collection[UUID] | None = None, *, lock: bool = False
) -> list[ReviewedAccess]:
    """Return all items of a review, or those with these ids: members first, then keys."""
    query = (
        _rows().where(AccessReviewItem.access_review_id == review_id).order_by(AccessReviewItem.id)
    )
    if ids is not None:
        query = query.where(AccessReviewItem.id.in_(ids))
    return [
        ReviewedAccess(*each)
        for each in session().execute(query.with_for_update(of=AccessReviewItem) if lock else query)
    ]


def review_progress(rows_of: Sequence[ReviewedAccess]) -> ReviewProgress:
    decisions = [row.item.decision for row in rows_of]
    return ReviewProgress(
        len(rows_of),
        sum(row.is_open for row in rows_of),
        decisions.count("keep"),
        decisions.count("lower"),
        decisions.count("revoke"),
        sum(row.is_gone for row in rows_of),
    )


def decided_counts(review_ids: Collection[UUID]) -> Mapping[UUID, tuple[int, int]]:
    """Return (items, decided) of each review, in one statement."""
    i = AccessReviewItem
    query = select(i.access_review_id, func.count(), func.count(i.decision)).where(
        i.access_review_id.in_(review_ids)
    )
    return {
        row[0]: (row[1], row[2]) for row in session().execute(query.group_by(i.access_review_id))
    }


# ---- who and what there is


def memberships() -> Sequence[Membership]:
    query = select(Membership).where(Membership.ended_at.is_(None)).join(Person)
    return session().scalars(query.order_by(Person.name, Membership.id)).all()


def live_keys() -> Sequence[ApiKey]:
    return keys.live()


def last_used() -> Mapping[UUID, datetime]:
    """Return when each person last used a session of this tenant."""
    rows_of = session().execute(
        select(Session.person_id, func.max(Session.seen_at)).group_by(Session.person_id)
    )
    return {row[0]: row[1] for row in rows_of}


def reviewers() -> Sequence[Membership]:
    """Return the members whose role lets them review."""
    return [m for m in memberships() if m.role in REVIEW.roles]


def pseudonyms(person_ids: Collection[UUID]) -> Mapping[UUID, str]:
    query = select(Membership.person_id, Membership.pseudonym).where(
        Membership.person_id.in_(person_ids)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def access_review_control() -> UUID | None:
    """Return the control for access reviews, if the tenant has adopted it."""
    return session().scalar(
        select(Control.id).where(Control.ref == ACCESS_REVIEW_CONTROL, Control.retired_at.is_(None))
    )


def review_evidence(title: str) -> Evidence | None:
    """Return the evidence item of the last review.

    Before the first review, return the item with that title, if there is one.
    """
    last = select(EvidenceVersion.evidence_id).join(
        AccessReview, AccessReview.evidence_version_id == EvidenceVersion.id
    )
    last = last.order_by(AccessReview.created_at.desc()).limit(1)
    query = select(Evidence).where(Evidence.retired_at.is_(None))
    held = session().scalars(query.where(Evidence.id == last.scalar_subquery())).one_or_none()
    return held or session().scalars(query.where(Evidence.title == title).limit(1)).one_or_none()


def file_of(version_id: UUID) -> tuple[UUID, str, int]:
    """Return (evidence id, ref, version number) of a closed review's evidence."""
    query = select(Evidence.id, Evidence.ref, EvidenceVersion.number).join(
        Evidence, Evidence.id == EvidenceVersion.evidence_id
    )
    found = session().execute(query.where(EvidenceVersion.id == version_id)).one()
    return found[0], found[1], found[2]
