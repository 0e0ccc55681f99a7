"""Red teams of AI systems: scenarios, attempts, findings, and the cases that prove fixes.

RedTeam                people attack a release of an AI system during a window
  RedTeamScenario      a risk to try, by its OWASP or MITRE ATLAS id
    RedTeamAttempt     what was tried, on which release, with its outcome; never changes
    RedTeamRun         an evaluation run whose cases count as attempts; never changes
RedTeamFinding         what broke through, until a pinned regression case proves the fix
  RedTeamEvidence      a version of an evidence item that shows the finding
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.assurance.red_teams import catalogue, life_cycle, severity
from governance.assurance.red_teams.life_cycle import FINDING_STATES, UNDECIDED
from governance.kernel import clock
from governance.kernel.data.db import Model, Tenanted, tenant_fk

TEAM_KINDS = {"internal": "Internal", "third_party": "Third party"}
OUTCOMES = {"held": "Held", "broke": "Broke through", "unclear": "Unclear"}
OUTCOME_KINDS = {"held": "ok", "broke": "bad", "unclear": "due"}


def _one_of(column: str, values: Any) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(f"'{each}'" for each in values)})", column)


class RedTeam(Tenanted, Model):
    """A red team: people attack a release of an AI system, by rules, in a time window.

    The window is from `opens_at` up to `closes_at`. Third-party testers sign in as the auditors of
    the engagement.
    """

    __tablename__ = "red_teams"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("engagement_id", "engagements"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "system_id", "number"),
        Index(None, "tenant_id", "engagement_id"),
        _one_of("kind", TEAM_KINDS),
        CheckConstraint("closes_at > opens_at", "closes_at"),
        CheckConstraint("(kind = 'third_party') = (engagement_id IS NOT NULL)", "engagement_id"),
        CheckConstraint("finished_at IS NULL OR cancelled_at IS NULL", "ended"),
    )

    number: Mapped[int]
    system_id: Mapped[UUID]
    system_version: Mapped[int]  # The register's version when this was planned.
    release: Mapped[str]
    kind: Mapped[str]
    engagement_id: Mapped[UUID | None]
    title: Mapped[str]
    rules: Mapped[str]  # What the testers may and may not do.
    opens_on: Mapped[date]
    closes_on: Mapped[date]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    planned_by: Mapped[UUID | None]
    summary: Mapped[str] = mapped_column(default="")  # Written when it is finished.
    finished_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]

    @property
    def ref(self) -> str:
        return f"RT-{self.number}"

    @property
    def phase(self) -> str:
        return life_cycle.phase_of(
            self.opens_at, self.closes_at, self.finished_at, self.cancelled_at, clock.now()
        )

    @property
    def state(self) -> tuple[str, str]:
        """Return the state as the template macro `c.state` expects it."""
        return life_cycle.PHASE_KINDS[self.phase], life_cycle.PHASES[self.phase]


class RedTeamScenario(Tenanted, Model):
    """A scenario to try. `goal` defines what counts as breaking through."""

    __tablename__ = "red_team_scenarios"
    __table_args__ = (
        tenant_fk("red_team_id", "red_teams"),
        UniqueConstraint("tenant_id", "red_team_id", "number"),
    )

    red_team_id: Mapped[UUID]
    number: Mapped[int]  # In its red team, from 1.
    risk: Mapped[str]  # For example "LLM01:2026" or "AML.T0051.001".
    title: Mapped[str]
    goal: Mapped[str]
    added_by: Mapped[UUID | None]

    @property
    def risk_name(self) -> str:
        return catalogue.NAMES.get(self.risk, "")


class RedTeamAttempt(Tenanted, Model):
    """An attempt. It is written once and never changes."""

    __tablename__ = "red_team_attempts"
    __table_args__ = (
        tenant_fk("red_team_id", "red_teams"),
        tenant_fk("scenario_id", "red_team_scenarios"),
        UniqueConstraint("tenant_id", "red_team_id", "number"),
        Index(None, "tenant_id", "scenario_id"),
        _one_of("outcome", OUTCOMES),
    )

    red_team_id: Mapped[UUID]
    scenario_id: Mapped[UUID]
    number: Mapped[int]  # In its red team, from 1.
    release: Mapped[str]  # The release that was attacked.
    what: Mapped[str]
    outcome: Mapped[str]
    tried_by: Mapped[UUID | None]


class RedTeamRun(Tenanted, Model):
    """A run whose result of one measure counts as attempts of a scenario, for example from garak."""

    __tablename__ = "red_team_runs"
    __table_args__ = (
        tenant_fk("scenario_id", "red_team_scenarios"),
        tenant_fk("run_id", "evaluation_runs"),
        UniqueConstraint("tenant_id", "scenario_id", "run_id", "measure"),
        Index(None, "tenant_id", "run_id"),
    )

    scenario_id: Mapped[UUID]
    run_id: Mapped[UUID]
    measure: Mapped[str]  # Its key in the suite.
    linked_by: Mapped[UUID | None]


class RedTeamFinding(Tenanted, Model):
    """A vulnerability that an attempt showed. `vector` has the inputs of its severity
    (severity.py).

    The regression case is a case of a suite version and one of its measures: `case_digest` is the
    digest of the case's id. `failed_run_id` and `passed_run_id` are the runs that proved the fix.
    """

    __tablename__ = "red_team_findings"
    __table_args__ = (
        tenant_fk("red_team_id", "red_teams"),
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("attempt_id", "red_team_attempts"),
        tenant_fk("case_version_id", "evaluation_suite_versions"),
        tenant_fk("failed_run_id", "evaluation_runs"),
        tenant_fk("passed_run_id", "evaluation_runs"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "red_team_id"),
        Index(None, "tenant_id", "system_id", "state"),
        Index(None, "tenant_id", "attempt_id"),
        _one_of("state", FINDING_STATES),
        CheckConstraint("score BETWEEN 0 AND 10", "score"),
        CheckConstraint(
            "(case_version_id IS NULL) = (case_digest IS NULL)"
            " AND (case_version_id IS NULL) = (case_measure IS NULL)",
            "regression_case",
        ),
        CheckConstraint("state NOT IN ('fixed', 'closed') OR fixed_release IS NOT NULL", "fixed"),
        CheckConstraint(
            "state <> 'closed' OR (failed_run_id IS NOT NULL AND passed_run_id IS NOT NULL)",
            "closed",
        ),
    )

    number: Mapped[int]  # Per tenant, from 1.
    red_team_id: Mapped[UUID]
    system_id: Mapped[UUID]
    attempt_id: Mapped[UUID]
    title: Mapped[str]
    reproduction: Mapped[str]
    vector: Mapped[str]
    score: Mapped[Decimal] = mapped_column(Numeric(3, 1))
    release: Mapped[str]  # The release that broke.
    state: Mapped[str] = mapped_column(default="open")
    reported_by: Mapped[UUID | None]
    fixed_release: Mapped[str | None]
    case_version_id: Mapped[UUID | None]
    case_measure: Mapped[str | None]
    case_digest: Mapped[bytes | None]
    failed_run_id: Mapped[UUID | None]
    passed_run_id: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]  # Closed or rejected.

    @property
    def ref(self) -> str:
        return f"RTF-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state in UNDECIDED

    @property
    def shown_state(self) -> tuple[str, str]:
        """Return the state as the template macro `c.state` expects it."""
        return life_cycle.KINDS[self.state], FINDING_STATES[self.state]

    @property
    def band(self) -> str:
        return severity.band_of(self.score)


class RedTeamEvidence(Tenanted, Model):
    """A link from a version of an evidence item to a finding, until it is removed."""

    __tablename__ = "red_team_evidence"
    __table_args__ = (
        tenant_fk("finding_id", "red_team_findings"),
        tenant_fk("version_id", "evidence_versions"),
        Index(
            "uq_red_team_evidence_open",
            "tenant_id",
            "finding_id",
            "version_id",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        Index(None, "tenant_id", "version_id"),
    )

    finding_id: Mapped[UUID]
    version_id: Mapped[UUID]
    linked_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
