"""The result of a test sign-in.

It shows whether the person would sign in as an admin, and otherwise what to set.

    result_of(identity, connection)             the result, as the change stores it
    check_still_passes(result, connection)      raises when it would no longer pass

A change that lets no admin sign in would lock the tenant out.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from governance.foundation.people import admission_actions, queries, sign_in_rules
from governance.foundation.people.models import Connection, person_key
from governance.foundation.people.oidc_types import Identity
from governance.kernel.errors import DomainError
from governance.kernel.safety.access import ROLE_NAMES

ADMINS = ("admin", "operator_admin")


def result_of(identity: Identity, connection: Connection) -> dict[str, Any]:
    """Return who signed in, which role they would get, and whether the test passes."""
    key = person_key(identity.issuer, identity.subject)
    found: dict[str, Any] = {
        "issuer": identity.issuer,
        "person": str(key),
        "name": identity.name,
        "email": identity.email,
        "verified": identity.email_verified,
        "groups": list(identity.groups or ()),
    }
    role, problem = _role_of(found, connection)
    return found | {"role": role, "problem": problem, "passed": not problem}


def check_still_passes(test: Mapping[str, Any], connection: Connection) -> None:
    """Raise DomainError if the person of the test would no longer sign in as an admin.

    An invitation may have ended since.
    """
    _, problem = _role_of(test, connection)
    if problem:
        raise DomainError(f"The test sign-in is no longer valid. {problem}")


def _role_of(test: Mapping[str, Any], connection: Connection) -> tuple[str | None, str]:
    """Return (role, what is missing) of the tester, as that connection would admit them now."""
    identity = Identity(
        connection.issuer,
        "",
        test["email"],
        test["verified"],
        test["name"],
        tuple(test["groups"]),
        None,
        0,
        "",
    )
    try:
        found = admission_actions.find_access(UUID(test["person"]), identity, connection)
    except sign_in_rules.NoMembership:
        return None, _no_access(test, identity, connection)
    if found.role in ADMINS:
        return found.role, ""
    told = (
        f"This person would sign in as {ROLE_NAMES[found.role].lower()}, but the test needs an"
        " admin. "
    )
    return found.role, told + _advice(test)


def _no_access(test: Mapping[str, Any], identity: Identity, connection: Connection) -> str:
    if _is_invited(identity.email) and not sign_in_rules.is_address_proven(identity, connection):
        return (
            f"{identity.email} is invited, but the provider doesn't confirm the address with"
            " email_verified: true, so the invitation doesn't count. Have the provider send that"
            f" claim, propose {sign_in_rules.SWITCH}, or map one of the person's groups."
        )
    return "This person would have no access. " + _advice(test)


def _advice(test: Mapping[str, Any]) -> str:
    groups = ", ".join(test["groups"][:5])
    mapped = (
        f"Map one of their groups ({groups}) to admin"
        if groups
        else "Have the provider send a groups claim and map a group to admin"
    )
    invited = f", or invite {test['email']} as an admin" if test["email"] else ""
    return f"{mapped}{invited}, then test again."


def _is_invited(email: str) -> bool:
    return any(invitation.email == email for invitation in queries.open_invitations())
