"""The content of a company's directory: its users and groups, and its latest requests."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock
from governance.kernel.data.db import Model, Tenanted, tenant_fk


class DirectoryUser(Tenanted, Model):
    """A user that the directory has provisioned, whether or not they have signed in yet.

    `membership_id` is set by the first sign-in that proves to be theirs, and never changes.
    `access_ended_at` is when the directory ended that membership; None if somebody else did.
    """

    __tablename__ = "scim_users"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_name_key"),
        UniqueConstraint("tenant_id", "membership_id"),
        tenant_fk("membership_id", "memberships"),
        Index(None, "tenant_id", "address"),
        Index(None, "tenant_id", "external_id"),
        Index(None, "tenant_id", "created_at", "id"),
    )

    user_name: Mapped[str]
    user_name_key: Mapped[str]  # The form in which names are compared: comparison_key().
    external_id: Mapped[str | None]
    display_name: Mapped[str | None]
    # Keys: formatted, givenName, familyName.
    name: Mapped[dict[str, Any]] = mapped_column(default=dict)
    emails: Mapped[list[Any]] = mapped_column(default=list)  # Keys: value, type, primary, display.
    address: Mapped[str]  # The primary email in lower case; empty if there is none.
    active: Mapped[bool | None]  # The value that the directory sent; None once it was removed.
    is_active: Mapped[bool] = mapped_column(default=True)  # Unchanged when `active` is removed.
    membership_id: Mapped[UUID | None]
    access_ended_at: Mapped[datetime | None]
    revision: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)

    @property
    def addresses(self) -> set[str]:
        return {self.user_name_key, self.address} - {""}


class DirectoryGroup(Tenanted, Model):
    """A group of the directory. It gives a role if the sign-in connection maps it to one."""

    __tablename__ = "scim_groups"
    __table_args__ = (
        UniqueConstraint("tenant_id", "display_name_key"),
        Index(None, "tenant_id", "external_id"),
        Index(None, "tenant_id", "created_at", "id"),
    )

    display_name: Mapped[str]
    display_name_key: Mapped[str]
    external_id: Mapped[str | None]
    revision: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime] = mapped_column(default=clock.now)


class DirectoryGroupMember(Tenanted, Model):
    __tablename__ = "scim_group_members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "group_id", "user_id"),
        Index(None, "tenant_id", "user_id"),
        tenant_fk("group_id", "scim_groups", on_delete="CASCADE"),
        tenant_fk("user_id", "scim_users", on_delete="CASCADE"),
    )

    group_id: Mapped[UUID]
    user_id: Mapped[UUID]


class ScimCall(Tenanted, Model):
    """A request of the directory and its answer: the newest are kept, and they name nobody."""

    __tablename__ = "scim_calls"
    __table_args__ = (
        tenant_fk("key_id", "api_keys"),
        Index(None, "tenant_id", "created_at"),
    )

    key_id: Mapped[UUID]
    method: Mapped[str]
    path: Mapped[str]  # Without the query, whose filters name people.
    status: Mapped[int]
    problem: Mapped[str] = mapped_column(default="")  # A sentence for an error.
