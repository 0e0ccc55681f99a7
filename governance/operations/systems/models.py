"""AI systems, their features, and every version of a system's record."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

LANES = {"standard": "Standard", "high_risk": "High risk"}
KINDS = {"system": "AI system", "agent": "Agent", "mcp_server": "MCP server"}
STAGES = {
    "unstated": "Not stated",  # Systems from before the stage was required
    "proposed": "Proposed",
    "in_review": "In review",
    "live": "Live",
    "restricted": "Restricted",
    "retired": "Retired",
}
AI_ACT_CLASSES = {  # Classes of Regulation (EU) 2024/1689; "" is not classified yet
    "prohibited": "Prohibited practice (Article 5)",
    "high_risk": "High risk (Article 6)",
    "transparency": "Transparency duties (Article 50)",
    "minimal": "Minimal risk",
    "out_of_scope": "Out of scope",
}
EU_ROLES = {  # Tenant's roles under that regulation; "" is not stated
    "provider": "Provider",
    "deployer": "Deployer",
    "both": "Provider and deployer",
    "importer": "Importer",
    "distributor": "Distributor",
}
AUTONOMY = {
    "advice": "Gives advice, people decide",
    "approval": "Acts after a person approves",
    "limits": "Acts alone within limits",
    "alone": "Acts alone",
}
TOOL_USERS = ("agent", "mcp_server")  # Kinds with tools, permissions and an end of validity


def _one_of(column: str, choices: dict[str, str], *, blank: bool = False) -> CheckConstraint:
    words = ", ".join(f"'{each}'" for each in [*([""] if blank else []), *choices])
    return CheckConstraint(f"{column} IN ({words})", column)


class AISystem(Tenanted, Model):
    """One AI system that the tenant is accountable for. `lane` is its risk class.

    `capabilities`, `limits`, `dependencies`, `data_sets`, `tools` and `tool_permissions` are lists
    of texts. `models` is a list of {provider, name, version, retires_on}.
    """

    __tablename__ = "ai_systems"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        _one_of("kind", KINDS),
        _one_of("stage", STAGES),
        _one_of("ai_act_class", AI_ACT_CLASSES, blank=True),
        _one_of("eu_role", EU_ROLES, blank=True),
        _one_of("autonomy", AUTONOMY, blank=True),
        CheckConstraint("(stage = 'retired') = (retired_at IS NOT NULL)", "retired"),
        Index(None, "tenant_id", "stage", "key"),
        Index(
            "ix_ai_systems_valid_until",
            "tenant_id",
            "valid_until",
            postgresql_where=text("valid_until IS NOT NULL AND retired_at IS NULL"),
        ),
    )

    key: Mapped[str]
    name: Mapped[str]
    lane: Mapped[str] = mapped_column(default="standard")
    purpose: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    retired_at: Mapped[datetime | None]
    kind: Mapped[str] = mapped_column(default="system", server_default=text("'system'"))
    stage: Mapped[str]
    stage_since: Mapped[date | None]  # As a person stated it
    version: Mapped[int] = mapped_column(default=1, server_default=text("1"))
    team: Mapped[str] = mapped_column(default="", server_default=text("''"))
    intended_users: Mapped[str] = mapped_column(default="", server_default=text("''"))
    autonomy: Mapped[str] = mapped_column(default="", server_default=text("''"))
    autonomy_note: Mapped[str] = mapped_column(default="", server_default=text("''"))
    ai_act_class: Mapped[str] = mapped_column(default="", server_default=text("''"))
    ai_act_reason: Mapped[str] = mapped_column(default="", server_default=text("''"))
    # The version of the EU AI Act under which its class was given or confirmed. "" is the law
    # before its amendment, since the version wasn't stored then.
    law_version: Mapped[str] = mapped_column(default="", server_default=text("''"))
    eu_role: Mapped[str] = mapped_column(default="", server_default=text("''"))
    placed_on: Mapped[date | None]  # On the market, or in service
    capabilities: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    limits: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    memory_control: Mapped[str] = mapped_column(default="", server_default=text("''"))
    sources_control: Mapped[str] = mapped_column(default="", server_default=text("''"))
    tone_control: Mapped[str] = mapped_column(default="", server_default=text("''"))
    verify_control: Mapped[str] = mapped_column(default="", server_default=text("''"))
    why_shown: Mapped[str] = mapped_column(default="", server_default=text("''"))
    models: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    data_sets: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    dependencies: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    tools: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    tool_permissions: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))
    valid_until: Mapped[date | None]  # Last day that an agent or MCP server may be used
    # Ids of outdated records that people confirmed since the last substantial change.
    still_valid: Mapped[list[Any]] = mapped_column(default=list, server_default=text("'[]'"))

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def lane_name(self) -> str:
        return LANES[self.lane]

    @property
    def kind_name(self) -> str:
        return KINDS[self.kind]

    @property
    def stage_name(self) -> str:
        return STAGES[self.stage]

    @property
    def uses_tools(self) -> bool:
        return self.kind in TOOL_USERS


class SystemVersion(Tenanted, Model):
    """The record of a system from one change to the next. It never changes.

    `content` is version_actions.content_of(); `substantial` names the reasons why the change is a
    substantial one. Only the erasure of a person replaces their name in the texts.
    """

    __tablename__ = "ai_system_versions"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id", "number"),
        CheckConstraint("number >= 1", "number"),
    )

    system_id: Mapped[UUID]
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    substantial: Mapped[list[Any]] = mapped_column(default=list)
    reason: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[UUID | None]


class SystemFeature(Tenanted, Model):
    """A part of the system that can be stopped separately."""

    __tablename__ = "system_features"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id", "key"),
    )

    system_id: Mapped[UUID]
    key: Mapped[str]
    fallback: Mapped[str]  # Behavior while it is stopped
    retired_at: Mapped[datetime | None]
