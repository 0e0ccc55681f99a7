"""Permissions are declared by features, granted to roles in one table, and checked here."""

from dataclasses import dataclass, field

from governance.kernel import current
from governance.kernel.errors import Forbidden

ROLES = (
    "admin", "compliance_officer", "contributor", "auditor", "viewer",
    "operator_admin", "operator_finance", "operator_support",
)  # fmt: skip
ROLE_NAMES = {
    "admin": "Tenant admin", "compliance_officer": "Compliance officer", "contributor": "Contributor",
    "auditor": "Auditor", "viewer": "Viewer", "operator_admin": "Operator",
    "operator_finance": "Operator, finance", "operator_support": "Operator, support",
}  # fmt: skip
TENANT_ROLES = ROLES[:5]
OPERATOR_ROLES = ROLES[5:]


@dataclass(frozen=True, slots=True)
class Permission:
    name: str
    means: str
    roles: frozenset[str] = field(default_factory=frozenset)
    public: bool = False


registry: dict[str, Permission] = {}


def permission(name: str, means: str, *, roles: str) -> Permission:
    """Declare one; `means` completes "may not …", `roles` are separated by spaces."""
    if name in registry:
        raise ValueError(f"permission {name} is declared twice")
    if unknown := set(roles.split()) - set(ROLES):
        raise ValueError(f"permission {name} names unknown roles {sorted(unknown)}")
    registry[name] = Permission(name, means, frozenset(roles.split()))
    return registry[name]


PUBLIC = Permission("public", "be reached without signing in", public=True)


def allowed(needs: Permission) -> bool:
    who = current.actor_or_none()
    return needs.public or (who is not None and who.role in needs.roles)


def require(needs: Permission) -> None:
    if not allowed(needs):
        raise Forbidden(f"Your role may not {needs.means}. {who_may(needs)}")


def who_may(needs: Permission) -> str:
    """A sentence that names the roles which hold the permission."""
    names = [ROLE_NAMES[role].lower() for role in ROLES if role in needs.roles]
    listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"It takes the role {listed}." if names else "Nobody holds that permission."
