"""Permissions of access reviews: admins and compliance officers, never on their own access."""

from typing import Any

from sqlalchemy import or_, select

from governance.foundation.api_keys import permissions as api_keys
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.people import permissions as people
from governance.foundation.people.models import Membership, Person
from governance.foundation.people.own_accounts import has_address_of, own_accounts
from governance.kernel.current import Actor
from governance.kernel.safety.access import Permission, permission
from governance.kernel.safety.conditions import Whoever, condition


def _holds_membership(who: Actor | Whoever, item: Any) -> Any:
    return item.membership_id.in_(
        select(Membership.id).where(Membership.person_id == who.person_id)
    )


@condition(
    "it is their own access",
    "You can't review your own access. Another person must decide.",
    sql=_holds_membership,
)
def is_own_access(who: Actor, row: Any) -> bool:
    return row.member is not None and row.person_id == who.person_id


def _created_key(who: Actor | Whoever, item: Any) -> Any:
    return item.key_id.in_(select(ApiKey.id).where(ApiKey.made_by == who.person_id))


@condition(
    "they created the key",
    "You created the API key {object.name}, so another person must decide.",
    sql=_created_key,
)
def created_key(who: Actor, row: Any) -> bool:
    return row.key is not None and row.person_id is not None and row.person_id == who.person_id


def _has_address(who: Actor | Whoever, item: Any) -> Any:
    members = (
        select(Membership.id)
        .join(Person, Person.id == Membership.person_id)
        .where(has_address_of(who))
    )
    keys = select(ApiKey.id).join(Person, Person.id == ApiKey.made_by).where(has_address_of(who))
    return or_(item.membership_id.in_(members), item.key_id.in_(keys))


@condition(
    "they have the same email address as its holder",
    "{object.name} has the same email address as you, so another person must decide.",
    sql=_has_address,
)
def has_address_of_holder(who: Actor, row: Any) -> bool:
    return row.person_id in own_accounts(who)


REVIEW = permission(
    "access_reviews.review", "review who has access", roles="admin compliance_officer"
)
DECIDE = permission(
    "access_reviews.decide",
    "decide on access in reviews",
    roles="admin compliance_officer",
    unless=[is_own_access, created_key, has_address_of_holder],
)


def reducing(row: Any) -> Permission:
    """Return the permission that revoking or lowering this access needs outside a review."""
    return people.MANAGE if row.member is not None else api_keys.MANAGE
