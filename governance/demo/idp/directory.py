"""The invented people of each issuer who may sign in, and the applications connected to it."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Person:
    """A person known to the issuer.

    Without a password, choosing the name is enough. `title` is shown next to the name.
    """

    sub: str
    email: str
    name: str
    groups: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    title: str = ""
    email_verified: bool = True


@dataclass(frozen=True, slots=True)
class Client:
    """A console connected to the issuer. Addresses are compared exactly."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    name: str = ""
    alg: str = "RS256"


def _person(sub: str, email: str, name: str, group: str, title: str) -> Person:
    return Person(sub, email, name, (f"governance-{group}",), title=title)


PEOPLE: dict[str, tuple[Person, ...]] = {
    "acme": (
        _person("acme-1001", "admin@acme.example", "Sanjay Patel", "admins", "admin"),
        _person(
            "acme-1002", "officer@acme.example", "Ines Duarte", "officers", "compliance officer"
        ),
        _person(
            "acme-1003", "contributor@acme.example", "Anna Rossi", "contributors", "contributor"
        ),
        _person("acme-1004", "viewer@acme.example", "Maya Okafor", "viewers", "viewer"),
        _person("acme-1005", "jun.chen@acme.example", "Jun Chen", "officers", "compliance officer"),
        _person("acme-1007", "rosa.meyer@acme.example", "Rosa Meyer", "admins", "admin"),
    ),
    "audit": (
        _person(
            "audit-2001",
            "auditor@audit.example",
            "Harriet Lowe",
            "auditors",
            "auditor, Halden & Co",
        ),
    ),
    "globex": (
        _person("globex-3001", "admin@globex.example", "Tomas Lindqvist", "admins", "admin"),
        _person(
            "globex-3002", "officer@globex.example", "Priya Nair", "officers", "compliance officer"
        ),
    ),
    "console": (
        _person("console-4001", "operator@console.example", "Eva Brandt", "operators", "operator"),
        _person(
            "console-4002", "finance@console.example", "Leo Moreau", "finance", "operator finance"
        ),
        _person(
            "console-4003", "noor.haddad@console.example", "Noor Haddad", "operators", "operator"
        ),
    ),
}
