"""The list of members: its declaration, and the rows that its filters leave."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.foundation.people.queries import Member
from governance.kernel import current
from governance.kernel.pages.list_pages import Column, Filter, ListPage, ListRequest, arrange, keep
from governance.kernel.safety.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES


def role_choices() -> list[tuple[str, str]]:
    """Return the roles that a member of this tenant can have."""
    roles = OPERATOR_ROLES if current.actor().kind == "operator" else TENANT_ROLES
    return [(role, ROLE_NAMES[role]) for role in roles]


MEMBERS = ListPage(
    name="members",
    title="Members",
    noun="member",
    endpoint="people.members",
    search="Search members",
    sort="member",
    columns=(
        Column("member", "Member", sort=True),
        Column("role", "Role", sort=True),
        Column("via", "Role from", optional=True),
        Column("since", "Since", sort=True, optional=True),
        Column("sessions", "Sessions", optional=True, numeric=True),
        Column("actions", "Actions", silent=True),
    ),
    filters=(Filter("role", "Role", role_choices, unknown="ignored"),),
)
TESTS: Mapping[str, Callable[[Member, str], bool]] = {
    "role": lambda member, value: member.role == value
}
KEYS: Mapping[str, Callable[[Member], Any]] = {
    "member": lambda member: (member.name.casefold(), member.email),
    "role": lambda member: (list(ROLE_NAMES).index(member.role), member.name.casefold()),
    "since": lambda member: (member.since, member.name.casefold()),
}


def matching(members: Sequence[Member], asked: ListRequest) -> list[Member]:
    return arrange(
        keep(members, asked, TESTS, lambda member: f"{member.name} {member.email}"), asked, KEYS
    )
