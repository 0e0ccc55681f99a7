"""The acting person or machine, and the tenant. Set once at each edge: request, job, command."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class SupportAccess:
    """The support grant that admits an operator to a tenant, approved by the tenant's admins.

    `feature` is the name of the only feature that it opens; empty for all. `operator` is who they
    are in their own tenant.
    """

    grant_id: UUID
    until: datetime
    feature: str
    may_change: bool
    operator: "Actor"


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, machine, job or command at work for one tenant.

    `time_zone` is the tenant's. `own_time_zone`, `locale` and `theme` are the person's choices for
    pages, empty for the tenant's: see kernel/formatting.py.
    """

    tenant_id: UUID
    tenant_slug: str
    tenant_name: str
    person_id: UUID | None
    name: str
    role: str
    kind: str = "person"
    email: str = ""
    session_id: UUID | None = None
    authenticated_at: datetime | None = None
    time_zone: str = "UTC"
    key_id: UUID | None = None
    scopes: frozenset[str] = frozenset()
    support: SupportAccess | None = None
    own_time_zone: str = ""
    locale: str = ""
    theme: str = ""
    unread_notifications: int = 0

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper() or "?"


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the current request, as far as the audit log records it."""

    request_id: str = ""
    network: str = ""


_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)
_origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - frozen


def actor() -> Actor:
    who = _actor.get()
    if who is None:
        raise RuntimeError("nobody is acting: wrap this code in acting_as()")
    return who


def actor_or_none() -> Actor | None:
    return _actor.get()


def person_id() -> UUID:
    """Return the acting person. Raises RuntimeError for jobs and commands, which have none."""
    who = actor().person_id
    if who is None:
        raise RuntimeError(f"{actor().name} is no person")
    return who


def key_id() -> UUID:
    """Return the API key of the acting machine. Raises RuntimeError for people, who have none."""
    key = actor().key_id
    if key is None:
        raise RuntimeError(f"{actor().name} has no API key")
    return key


@contextmanager
def acting_as(who: Actor | None) -> Generator[Actor | None]:
    token = _actor.set(who)
    try:
        yield who
    finally:
        _actor.reset(token)


def origin() -> Origin:
    return _origin.get()


@contextmanager
def coming_from(where: Origin) -> Generator[None]:
    token = _origin.set(where)
    try:
        yield
    finally:
        _origin.reset(token)
