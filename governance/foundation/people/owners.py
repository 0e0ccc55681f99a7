"""Owners of controls, evidence, requirements and requests, as choices of forms and lists.

owner_choices(present)     an optional owner, of something new or together with other fields
member_choices(present)    the same, of every member
names_among(ids, choices)  who the owners of rows are, of a list that offers these choices
assignee_choices()         a change of owner: nothing is preselected, removing is a choice of its
                           own
member_assignees()         the same, of every member
check_may_own(owner_id)    raises Invalid for anyone who can't own
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from governance.foundation.people.queries import (
    choices,
    choices_of,
    members,
    membership_of,
    names,
)
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.web.forms import uuid_or_none
from governance.kernel.work.bulk import BulkColumn

OWNING_ROLES = frozenset({"admin", "compliance_officer", "contributor"})
REMOVE = "none"  # The choice that removes the owner; never preselected.
UNKNOWN = "A former member"
type Choices = list[tuple[Any, str]]


def owner_choices(present: UUID | None = None) -> Choices:
    """Return no owner, then each member whose role can own; `present` is the current owner."""
    return _optional(_able(), present)


def member_choices(present: UUID | None = None) -> Choices:
    """Return the same over every member: any member can own an AI system."""
    return _optional(choices(), present)


def _optional(able: Sequence[tuple[UUID, str]], present: UUID | None) -> Choices:
    """Keep a current owner who can't own any more in the list: saving must not remove them."""
    gone = present is not None and present not in {person_id for person_id, _ in able}
    return [
        ("", "No owner"),
        *able,
        *([(present, f"{name_of(present)} (can't own it any more)")] if gone else []),
    ]


def assignee_choices(first: str = "Choose an owner", *, removable: bool = True) -> Choices:
    """Return the choices for a change of owner.

    `first` is preselected and changes nothing. `removable`: the rows can be without an owner.
    """
    return [("", first), *_able(), *([(REMOVE, "Remove owner")] if removable else [])]


def member_assignees() -> Choices:
    """Return the same over every member: any member can own an AI system."""
    return [("", "Choose an owner"), *choices(), (REMOVE, "Remove owner")]


def names_among(ids: Iterable[UUID | None], known: Sequence[tuple[Any, str]]) -> dict[UUID, str]:
    """Return the names of these people; one statement, or none if these choices name all."""
    found = {value: label for value, label in known if isinstance(value, UUID)}
    missing = {each for each in ids if each} - found.keys()
    return found | names(missing) if missing else found


def filter_choices(assignees: Choices) -> Choices:
    """Return the owners for a list's filter, from the choices that its bulk action offers."""
    return [("nobody", "No owner"), *assignees[1:-1]]


def filter_label(value: str) -> str:
    """Return the label of an owner in the address who is none of the choices any more."""
    person_id = uuid_or_none(value)
    return names([person_id]).get(person_id, "unknown") if person_id else "unknown"


def _able() -> list[tuple[UUID, str]]:
    return choices_of([m for m in members() if m.role in OWNING_ROLES])


def chosen(value: Any) -> UUID | None:
    """Return the owner that a choice of `assignee_choices` names; None = remove the owner."""
    return None if value == REMOVE else value


def check_may_own(owner_id: UUID | None) -> None:
    """Raise Invalid for a person who isn't a member, or whose role can't own."""
    membership = membership_of(owner_id) if owner_id else None
    if owner_id is not None and (membership is None or membership.role not in OWNING_ROLES):
        raise Invalid(
            "Choose an owner who is an admin, a compliance officer or a contributor here.",
            field="owner_id",
        )


def name_of(person_id: UUID | None) -> str:
    return describe([person_id])[person_id]


def describe(ids: Collection[UUID | None]) -> Mapping[UUID | None, str]:
    """Return the names of these owners, in one statement."""
    known = names(ids)
    return {each: known.get(each, UNKNOWN) if each else "No owner" for each in ids}


OWNER = BulkColumn("owner_id", "Owner", describe)


def assign_verb(count: int, noun: str, owner: UUID | None) -> str:
    """Return the label of the confirming button: Assign 12 controls to Ana Ruiz."""
    return (
        f"Assign {plural(count, noun)} to {name_of(owner)}"
        if owner
        else f"Remove the owner of {plural(count, noun)}"
    )


def assigned(count: int, noun: str, owner: UUID | None) -> str:
    """Return the message afterwards: 12 controls are now assigned to Ana Ruiz."""
    many = "is" if count == 1 else "are"
    return (
        f"{plural(count, noun)} {many} now assigned to {name_of(owner)}."
        if owner
        else f"{plural(count, noun)} {'has' if count == 1 else 'have'} no owner now."
    )


def assigned_one(ref: str, owner: UUID | None) -> str:
    return f"{ref} is now assigned to {name_of(owner)}." if owner else f"{ref} has no owner now."
