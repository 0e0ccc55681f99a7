"""Tables of incidents: affected systems, notes, clocks, customer updates, reviews and actions."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.assurance.incidents.states import STATES
from governance.kernel.data.db import Model, Tenanted, tenant_fk

UPDATE_STATES = ("draft", "requested", "sent")
_states = ", ".join(f"'{each}'" for each in STATES)
_update_states = ", ".join(f"'{each}'" for each in UPDATE_STATES)


class Incident(Tenanted, Model):
    """An event that harmed, or could have harmed, what AI systems promise.

    `aware_at` starts statutory clocks; `detected_at` starts the times to acknowledge, mitigate and
    resolve. The time of each later state is empty until the incident reaches it.
    """

    __tablename__ = "incidents"
    __table_args__ = (
        tenant_fk("alert_id", "alerts"),
        tenant_fk("stop_id", "stops"),
        UniqueConstraint("tenant_id", "ref"),
        Index("uq_incidents_alert", "tenant_id", "alert_id", unique=True),
        Index("uq_incidents_stop", "tenant_id", "stop_id", unique=True),
        Index(None, "tenant_id", "declared_at"),
        Index(None, "tenant_id", "state", "declared_at"),
        CheckConstraint("severity BETWEEN 1 AND 4", "severity"),
        CheckConstraint(f"state IN ({_states})", "state"),
    )

    ref: Mapped[str]
    title: Mapped[str]
    summary: Mapped[str] = mapped_column(default="")
    severity: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(default="investigating")
    declared_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    declared_at: Mapped[datetime]
    detected_at: Mapped[datetime]  # When its alert fired, otherwise when somebody became aware.
    aware_at: Mapped[datetime]
    identified_at: Mapped[datetime | None]
    monitoring_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    responded_at: Mapped[datetime | None]  # The first customer update, or a recorded response.
    lead_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    communications_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    scribe_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    alert_id: Mapped[UUID | None]
    alert_ref: Mapped[str] = mapped_column(default="")
    stop_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class Impact(Tenanted, Model):
    """The period in which an incident affected a system. It never changes measured counts."""

    __tablename__ = "incident_impacts"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        tenant_fk("system_id", "ai_systems"),
        Index(None, "tenant_id", "incident_id", "starts_at"),
        Index(None, "tenant_id", "system_id", "starts_at"),
        CheckConstraint("ends_at IS NULL OR starts_at < ends_at", "order"),
    )

    incident_id: Mapped[UUID]
    system_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]  # None while it continues.
    note: Mapped[str] = mapped_column(default="")
    removed_at: Mapped[datetime | None]


class ImpactFigure(Tenanted, Model):
    """A figure of the harm, as a person wrote it: "231 of 318", "approvals …"."""

    __tablename__ = "incident_figures"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        Index(None, "tenant_id", "incident_id", "created_at"),
    )

    incident_id: Mapped[UUID]
    figure: Mapped[str]
    meaning: Mapped[str]
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    removed_at: Mapped[datetime | None]


class IncidentNote(Tenanted, Model):
    """A person's note in the timeline. It never changes, except that an erasure replaces a name in
    it.
    """

    __tablename__ = "incident_notes"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        Index(None, "tenant_id", "incident_id", "created_at"),
    )

    incident_id: Mapped[UUID]
    written_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    text: Mapped[str]


class SeverityName(Tenanted, Model):
    """A tenant's name for a severity. Without a row, the name in severities.py applies."""

    __tablename__ = "incident_severities"
    __table_args__ = (
        UniqueConstraint("tenant_id", "level"),
        CheckConstraint("level BETWEEN 1 AND 4", "level"),
    )

    level: Mapped[int] = mapped_column(SmallInteger)
    name: Mapped[str]
    meaning: Mapped[str]


class IncidentSuggestion(Tenanted, Model):
    """A stop that may be an incident, until somebody declares one or dismisses it."""

    __tablename__ = "incident_suggestions"
    __table_args__ = (
        tenant_fk("stop_id", "stops"),
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "stop_id"),
        Index(
            "ix_incident_suggestions_open",
            "tenant_id",
            postgresql_where="settled_at IS NULL",
        ),
    )

    stop_id: Mapped[UUID]
    switch: Mapped[str]  # For example "claims-triage · auto-approve".
    settled_at: Mapped[datetime | None]
    incident_id: Mapped[UUID | None]  # None in a settled row: it was dismissed.
    reason: Mapped[str] = mapped_column(default="")


# ---- clocks


class Classification(Tenanted, Model):
    """A person's decision whether a law's duty to notify applies to an incident.

    `applies` is None until somebody decides; `variant` is the case of the law, which may have
    shorter deadlines.
    """

    __tablename__ = "incident_classifications"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "incident_id", "regime"),
    )

    incident_id: Mapped[UUID]
    regime: Mapped[str]
    rules_version: Mapped[int]
    applies: Mapped[bool | None]
    variant: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    decider_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    decide_by: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)


class SentNotice(Tenanted, Model):
    """A notice sent to an authority, which ends a statutory clock. It never changes."""

    __tablename__ = "incident_notices"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "incident_id", "regime", "stage"),
    )

    incident_id: Mapped[UUID]
    regime: Mapped[str]
    stage: Mapped[str]
    sent_at: Mapped[datetime]
    sent_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    recipient: Mapped[str]
    reference: Mapped[str]


class ClockPause(Tenanted, Model):
    """A pause of the time to resolve, for example while waiting for the customer."""

    __tablename__ = "incident_pauses"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        Index(None, "tenant_id", "incident_id", "starts_at"),
        CheckConstraint("ends_at IS NULL OR starts_at <= ends_at", "order"),
    )

    incident_id: Mapped[UUID]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    reason: Mapped[str]
    paused_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))


class DeadlineReminder(Tenanted, Model):
    """A record of a sent deadline reminder, so that it is sent once."""

    __tablename__ = "incident_reminders"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "incident_id", "clock", "due_at"),
    )

    incident_id: Mapped[UUID]
    clock: Mapped[str]
    due_at: Mapped[datetime]


# ---- customers


class CustomerUpdate(Tenanted, Model):
    """An update for customers: drafted, approved by another person, sent. A sent one never changes.

    Lines of `body` that begin with "Unknown:" mark unknown facts.
    """

    __tablename__ = "incident_updates"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "incident_id", "number"),
        CheckConstraint(f"state IN ({_update_states})", "state"),
    )

    incident_id: Mapped[UUID]
    number: Mapped[int]
    title: Mapped[str]
    body: Mapped[str]
    state: Mapped[str] = mapped_column(default="draft")
    drafted_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    edited_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    edited_at: Mapped[datetime]
    comment: Mapped[str] = mapped_column(default="")  # From the person who returned it.
    incident_state: Mapped[str] = mapped_column(default="")  # When the update was sent.
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    sent_at: Mapped[datetime | None]
    contacts: Mapped[int] = mapped_column(default=0)  # Number of contacts emailed.
    webhooks: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class StatusContact(Tenanted, Model):
    """A person who isn't a member, gets updates and may read the tenant's status page."""

    __tablename__ = "status_contacts"
    __table_args__ = (
        Index(
            "uq_status_contacts_open",
            "tenant_id",
            "email",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        Index(None, "tenant_id", "link_hash"),
    )

    name: Mapped[str]
    email: Mapped[str]
    link_hash: Mapped[bytes | None]
    code_hash: Mapped[bytes | None]
    code_ends_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    codes_since: Mapped[datetime | None]  # Start of the hour in which codes are counted.
    codes_sent: Mapped[int] = mapped_column(default=0)
    read_at: Mapped[datetime | None]  # When they last opened the page with something new on it.
    added_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    removed_at: Mapped[datetime | None]


class StatusVisit(Tenanted, Model):
    """A contact's session on the status page. It gives access to nothing else."""

    __tablename__ = "status_visits"
    __table_args__ = (
        tenant_fk("contact_id", "status_contacts"),
        UniqueConstraint("tenant_id", "token_hash"),
        Index(None, "tenant_id", "contact_id"),
    )

    contact_id: Mapped[UUID]
    token_hash: Mapped[bytes]
    ends_at: Mapped[datetime]


# ---- afterwards


class IncidentReview(Tenanted, Model):
    """The lessons of an incident; one per incident.

    A closed review never changes and becomes evidence.
    """

    __tablename__ = "incident_reviews"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        tenant_fk("evidence_version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "incident_id"),
    )

    incident_id: Mapped[UUID]
    happened: Mapped[str] = mapped_column(default="")
    impact: Mapped[str] = mapped_column(default="")
    factors: Mapped[str] = mapped_column(default="")
    went_well: Mapped[str] = mapped_column(default="")
    to_change: Mapped[str] = mapped_column(default="")
    edited_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime | None]
    evidence_version_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)


class FollowUp(Tenanted, Model):
    """An action after an incident, in its owner's inbox until it is done."""

    __tablename__ = "incident_follow_ups"
    __table_args__ = (
        tenant_fk("incident_id", "incidents"),
        Index(None, "tenant_id", "incident_id", "due_on"),
        Index(
            "ix_incident_follow_ups_open",
            "tenant_id",
            "owner_id",
            postgresql_where="done_at IS NULL",
        ),
    )

    incident_id: Mapped[UUID]
    title: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    outcome: Mapped[str] = mapped_column(default="")
