"""Models of playbooks, their versions, and runs of a version."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Playbook(Tenanted, Model):
    """A checklist for one kind of incident. Its steps are in its versions."""

    __tablename__ = "playbooks"
    __table_args__ = (UniqueConstraint("tenant_id", "ref"),)

    ref: Mapped[str]
    title: Mapped[str]
    used_for: Mapped[str]  # The kind of incident, as a sentence.
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    drill_every_days: Mapped[int | None]
    next_drill_on: Mapped[date | None]
    version: Mapped[int]  # The number of the current version.
    retired_at: Mapped[datetime | None]


class PlaybookVersion(Tenanted, Model):
    """A saved list of steps. A version never changes."""

    __tablename__ = "playbook_versions"
    __table_args__ = (
        tenant_fk("playbook_id", "playbooks"),
        UniqueConstraint("tenant_id", "playbook_id", "number"),
    )

    playbook_id: Mapped[UUID]
    number: Mapped[int]
    steps: Mapped[list[Any]]
    reason: Mapped[str]
    written_by: Mapped[UUID | None]


class PlaybookRun(Tenanted, Model):
    """A run of a version, in an incident or as a drill."""

    __tablename__ = "playbook_runs"
    __table_args__ = (
        tenant_fk("playbook_id", "playbooks"),
        tenant_fk("version_id", "playbook_versions"),
        tenant_fk("evidence_version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "ref"),
        Index(None, "tenant_id", "playbook_id", "created_at"),
        Index(None, "tenant_id", "incident_id"),
        Index(None, "tenant_id", "version_id"),
        Index(None, "tenant_id", "evidence_version_id"),
        CheckConstraint("is_drill OR incident_id IS NOT NULL", "drill_or_incident"),
    )

    ref: Mapped[str]
    playbook_id: Mapped[UUID]
    version_id: Mapped[UUID]
    incident_id: Mapped[UUID | None]
    incident_ref: Mapped[str | None]
    is_drill: Mapped[bool]
    started_by: Mapped[UUID | None]
    ended_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    summary: Mapped[str]
    evidence_version_id: Mapped[UUID | None]


class PlaybookStepResult(Tenanted, Model):
    """The result of a step of a run: done or skipped, when, and who recorded it."""

    __tablename__ = "playbook_step_results"
    __table_args__ = (
        tenant_fk("run_id", "playbook_runs"),
        UniqueConstraint("tenant_id", "run_id", "position"),
        CheckConstraint("state IN ('done', 'skipped')", "state"),
    )

    run_id: Mapped[UUID]
    position: Mapped[int]
    state: Mapped[str]
    note: Mapped[str]  # A finding, or the reason for skipping the step.
    effect: Mapped[str]  # The action that Meridian took.
    recorded_by: Mapped[UUID | None]
