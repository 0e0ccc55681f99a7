"""Permissions are declared by features, granted to roles and to scopes of keys in one table, and checked here."""

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
    scopes: frozenset[str] = field(default_factory=frozenset)


registry: dict[str, Permission] = {}
known_scopes: dict[str, str] = {}  # name → what a key of that scope may do


def scope(name: str, means: str) -> str:
    """Declare what a machine's key can be good for, where it is used; `means` reads after "may"."""
    if name in known_scopes:
        raise ValueError(f"scope {name} is declared twice")
    known_scopes[name] = means
    return name


def permission(name: str, means: str, *, roles: str = "", scopes: str = "") -> Permission:
    """Declare one; `means` completes "may not …", `roles` and `scopes` are separated by spaces."""
    if name in registry:
        raise ValueError(f"permission {name} is declared twice")
    if unknown := (set(roles.split()) - set(ROLES)) | (set(scopes.split()) - known_scopes.keys()):
        raise ValueError(f"permission {name} names unknown roles or scopes {sorted(unknown)}")
    registry[name] = Permission(name, means, frozenset(roles.split()), scopes=frozenset(scopes.split()))
    return registry[name]


PUBLIC = Permission("public", "be reached without signing in", public=True)


def allowed(needs: Permission) -> bool:
    who = current.actor_or_none()
    return needs.public or (who is not None and (who.role in needs.roles or not who.scopes.isdisjoint(needs.scopes)))


def require(needs: Permission) -> None:
    if allowed(needs):
        return
    if current.actor().kind == "api_key":
        raise Forbidden(f"This key may not {needs.means}. It takes the scope {' or '.join(sorted(needs.scopes))}.")
    raise Forbidden(f"Your role may not {needs.means}. {who_may(needs)}")


def who_may(needs: Permission) -> str:
    """A sentence that names the roles which hold the permission."""
    names = [ROLE_NAMES[role].lower() for role in ROLES if role in needs.roles]
    listed = " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"It takes the role {listed}." if names else "Nobody holds that permission."
