"""Permissions: features declare them for roles and scopes of keys, and this module checks them.

    UPLOAD = permission(
        "evidence.upload", "upload versions of evidence", roles="admin compliance_officer
        contributor",
        only={"contributor": [is_owner]},           # a contributor: only if they own it
    )
    REVIEW = permission(
        "evidence.review", "review evidence", roles="admin compliance_officer",
        unless=[is_uploader],                       # any role: not if they uploaded it
    )

    allowed(UPLOAD, on=evidence)       whether, for pages and templates
    why_not(REVIEW, on=version)        the sentence why not, or None
    require(UPLOAD, on=evidence)       raise Forbidden with that sentence; once, in the action
    matching(UPLOAD, Evidence)         the same rule as SQL, for lists
    not_excluded(REVIEW, Version, ME)  its `unless` alone, where ME is an SQL expression

Without `on` they return whether the role may at all; a route checks that before it has the object.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, true

from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.errors import DomainError, Forbidden, NotFound
from governance.kernel.safety.conditions import Condition, Whoever

ROLES = (
    "admin",
    "compliance_officer",
    "contributor",
    "auditor",
    "viewer",
    "operator_admin",
    "operator_finance",
    "operator_support",
)
ROLE_NAMES = {
    "admin": "Tenant admin",
    "compliance_officer": "Compliance officer",
    "contributor": "Contributor",
    "auditor": "Auditor",
    "viewer": "Viewer",
    "operator_admin": "Operator",
    "operator_finance": "Operator, finance",
    "operator_support": "Operator, support",
}
TENANT_ROLES = ROLES[:5]
OPERATOR_ROLES = ROLES[5:]


@dataclass(frozen=True, slots=True)
class Permission:
    """A permission.

    `only` are conditions that must be true of a role's object, `unless` those that must be false
    for any role.
    """

    name: str
    means: str
    roles: frozenset[str] = field(default_factory=frozenset)
    public: bool = False
    scopes: frozenset[str] = field(default_factory=frozenset)
    only: Mapping[str, tuple[Condition, ...]] = field(default_factory=dict, hash=False)
    unless: tuple[Condition, ...] = ()

    @property
    def is_conditional(self) -> bool:
        """True if it depends on the object."""
        return bool(self.only or self.unless)

    def conditions(self) -> list[str]:
        """Return its object conditions in words, such as "contributor: only if they own it"."""
        roles: dict[tuple[Condition, ...], list[str]] = {}
        for role in ROLES:
            if role in self.only:
                roles.setdefault(self.only[role], []).append(role)
        only = [
            f"{', '.join(names)}: only if {each.means}"
            for conditions, names in roles.items()
            for each in conditions
        ]
        return [*only, *(f"not if {each.means}" for each in self.unless)]


registry: dict[str, Permission] = {}
known_scopes: dict[str, str] = {}  # Name → what a key of that scope may do.


def scope(name: str, means: str) -> str:
    """Declare a scope of API keys; `means` completes "may …"."""
    if name in known_scopes:
        raise ValueError(f"scope {name} is declared twice")
    known_scopes[name] = means
    return name


def permission(
    name: str,
    means: str,
    *,
    roles: str = "",
    scopes: str = "",
    only: Mapping[str, Iterable[Condition]] | None = None,
    unless: Iterable[Condition] = (),
) -> Permission:
    """Declare a permission. `means` completes "can't …".

    `roles`, `scopes` and the keys of `only` are separated by spaces.
    """
    if name in registry:
        raise ValueError(f"permission {name} is declared twice")
    if unknown := (set(roles.split()) - set(ROLES)) | (set(scopes.split()) - known_scopes.keys()):
        raise ValueError(f"permission {name} names unknown roles or scopes {sorted(unknown)}")
    limited = {role: tuple(each) for names, each in (only or {}).items() for role in names.split()}
    if idle := limited.keys() - set(roles.split()):
        raise ValueError(
            f"permission {name} has conditions for roles that don't hold it: {sorted(idle)}"
        )
    registry[name] = Permission(
        name,
        means,
        frozenset(roles.split()),
        scopes=frozenset(scopes.split()),
        only=limited,
        unless=tuple(unless),
    )
    return registry[name]


PUBLIC = Permission("public", "be reached without signing in", public=True)


def allowed(needs: Permission, *, on: Any = None) -> bool:
    """Return whether the acting person or key has the permission, generally or for this object."""
    who = current.actor_or_none()
    if not (needs.public or (who is not None and _holds(who, needs))):
        return False
    return on is None or who is None or _forbidding(who, needs, on) is None


def require(needs: Permission, *, on: Any = None) -> None:
    """Raise Forbidden with the reason, or NotFound for a hidden object, unless it is allowed."""
    if (refusal := _refusal(needs, on)) is not None:
        raise refusal


def why_not(needs: Permission, *, on: Any) -> str | None:
    """Return why the acting person may not do this to the object, as a sentence, or None."""
    refusal = _refusal(needs, on)
    return refusal.message if refusal is not None else None


def matching(needs: Permission, model: Any) -> ColumnElement[bool]:
    """Return `allowed(needs, on=row)` as an SQL condition on the rows of `model`."""
    who = current.actor()
    if not allowed(needs):
        return false()
    conditions = [each.sql(who, model) for each in needs.only.get(who.role, ())]
    return and_(true(), *conditions, _not_excluded(needs, who, model))


def not_excluded(needs: Permission, model: Any, me: Any) -> ColumnElement[bool]:
    """Return the condition on rows that `unless` allows to the person with the id `me`.

    It is for statements shared by everyone.
    """
    return _not_excluded(needs, Whoever(me), model)


def _not_excluded(needs: Permission, who: Actor | Whoever, model: Any) -> ColumnElement[bool]:
    return and_(
        true(), *(not_(func.coalesce(each.sql(who, model), false())) for each in needs.unless)
    )


def _holds(who: Actor, needs: Permission) -> bool:
    return who.role in needs.roles or not who.scopes.isdisjoint(needs.scopes)


def _forbidding(who: Actor, needs: Permission, thing: Any) -> Condition | None:
    """Return the first condition that forbids it."""
    missing = (each for each in needs.only.get(who.role, ()) if not each(who, thing))
    return next(missing, None) or next((each for each in needs.unless if each(who, thing)), None)


def _refusal(needs: Permission, thing: Any) -> DomainError | None:
    if not allowed(needs):
        return _of_role(needs)
    found = _forbidding(current.actor(), needs, thing) if thing is not None else None
    if found is None:
        return None
    sentence = found.refusal.format(object=thing, means=needs.means, others=_or_others(needs))
    return NotFound(sentence) if found.hides else Forbidden(sentence)


def _of_role(needs: Permission) -> Forbidden:
    if current.actor().kind == "api_key":
        return Forbidden(
            f"This key can't {needs.means}. It needs the scope {' or '.join(sorted(needs.scopes))}."
        )
    return Forbidden(f"Your role can't {needs.means}. {who_may(needs)}")


def who_may(needs: Permission) -> str:
    """Return a sentence that names the roles which have the permission."""
    listed = _either([ROLE_NAMES[role].lower() for role in ROLES if role in needs.roles])
    return f"It requires the {listed} role." if listed else "No role has that permission."


def _either(names: list[str]) -> str:
    """Join names as "a, b or c"."""
    return " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def _or_others(needs: Permission) -> str:
    """Return the roles that may always, to follow another one.

    It is ", a tenant admin or a compliance officer", or empty.
    """
    names = [ROLE_NAMES[role].lower() for role in ROLES if role in needs.roles - needs.only.keys()]
    listed = _either([f"{'an' if name[0] in 'aeiou' else 'a'} {name}" for name in names])
    return f", {listed}" if len(names) > 1 else f" or {listed}" if names else ""
