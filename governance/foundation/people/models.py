"""People, their memberships and sessions, and the identity provider of each tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.kernel import clock
from governance.kernel.data.db import Model, Tenanted, tenant_fk

ERASED, ERASED_NAME = (
    "erasure",
    "Erased person",
)  # The way in which an erased person's membership ended, and the name they have since.
NAMESPACE = UUID("6f1c7f52-55c4-4c1f-9a55-0e4a4f4d5b11")


def person_key(issuer: str, subject: str) -> UUID:
    """Return the key of a person, derived from issuer and subject, never from an address."""
    return uuid5(NAMESPACE, f"{issuer}\0{subject}")


class Person(Model):
    """A person that an identity provider vouches for.

    Seen by a tenant only through a membership in it.
    """

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    issuer: Mapped[str]
    subject: Mapped[str]
    email: Mapped[str]
    name: Mapped[str]

    @property
    def initials(self) -> str:
        return "".join(word[0] for word in self.name.split()[:2]).upper() or "?"


class Membership(Tenanted, Model):
    """A person in a tenant, with one role. Ended, never deleted."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id"),
        Index(None, "tenant_id", "pseudonym"),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str]
    pseudonym: Mapped[str]
    via: Mapped[str]
    role_since: Mapped[datetime] = mapped_column(
        default=clock.now
    )  # The time when they joined, came back, or got another role.
    ended_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # Their own; see people/preferences.py.
    unread_notifications: Mapped[int] = mapped_column(default=0)
    person: Mapped[Person] = relationship(lazy="joined", innerjoin=True)


class Invitation(Tenanted, Model):
    """An address that may join with a role.

    It does when its owner first signs in by the tenant's own provider.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index(
            "uq_invitations_open",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where="accepted_at IS NULL AND withdrawn_at IS NULL",
        ),
    )

    email: Mapped[str]
    role: Mapped[str]
    invited_by: Mapped[UUID | None]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]


class Connection(Tenanted, Model):
    """A tenant's OpenID Connect provider.

    Its settings never change: a change is another row, live once it is approved.

    `state` is live (one per tenant), proposed (at most one), retired or discarded. `number`
    identifies its redirect address: one for each issuer and client of the tenant, never given to
    another. `named_by_operator`: the operator named the issuer, so it may be on a private network.
    """

    __tablename__ = "connections"
    __table_args__ = (
        Index("uq_connections_live", "tenant_id", unique=True, postgresql_where="state = 'live'"),
        Index(
            "uq_connections_proposed",
            "tenant_id",
            unique=True,
            postgresql_where="state = 'proposed'",
        ),
    )

    state: Mapped[str] = mapped_column(default="live")
    number: Mapped[int] = mapped_column(default=1)
    issuer: Mapped[str]
    client_id: Mapped[str]
    secret: Mapped[bytes]
    group_roles: Mapped[dict[str, Any]] = mapped_column(default=dict)
    enforced: Mapped[bool] = mapped_column(default=True)
    verifies_addresses: Mapped[bool] = mapped_column(default=False)
    named_by_operator: Mapped[bool] = mapped_column(default=False)
    tested_at: Mapped[datetime | None]
    findings: Mapped[list[Any]] = mapped_column(default=list)


class SignIn(Tenanted, Model):
    """A sign-in in progress: bound to the browser that started it, used once, for ten minutes."""

    __tablename__ = "sign_ins"
    __table_args__ = (
        UniqueConstraint("tenant_id", "state_hash"),
        Index(None, "tenant_id", "network", "created_at"),
        tenant_fk("connection_id", "connections", on_delete="CASCADE"),
    )

    connection_id: Mapped[UUID]
    is_test: Mapped[bool] = mapped_column(
        default=False
    )  # Through a proposed connection: it starts no session.
    state_hash: Mapped[bytes]
    browser_hash: Mapped[bytes]
    network: Mapped[str] = mapped_column(default="", server_default=text("''"))
    nonce: Mapped[str]
    verifier: Mapped[str]
    next_path: Mapped[str]
    fresh: Mapped[bool] = mapped_column(default=False)
    leaves: Mapped[UUID | None]  # The session of another tenant that the person agreed to end.
    used_at: Mapped[datetime | None]


class Session(Tenanted, Model):
    """A person signed in to one tenant. The browser holds a random token, we hold its hash."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "token_hash"),
        Index(None, "tenant_id", "person_id"),
    )

    token_hash: Mapped[bytes]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    issuer: Mapped[str]
    idp_sid: Mapped[str | None]
    id_token: Mapped[bytes]
    authenticated_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    browser: Mapped[str]
    network: Mapped[str]


class SavedForm(Tenanted, Model):
    """A submitted form whose person has to sign in again first.

    It is encrypted, submitted once, and kept for some minutes.
    """

    __tablename__ = "saved_forms"
    __table_args__ = (
        tenant_fk("session_id", "sessions", on_delete="CASCADE"),
        Index(None, "tenant_id", "session_id"),
        Index(None, "tenant_id", "expires_at"),
    )

    session_id: Mapped[UUID]  # The session that submitted it, then the one that replaced that.
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    key: Mapped[bytes]
    content: Mapped[bytes]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
