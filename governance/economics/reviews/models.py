"""Tables of monthly reviews: revisions, sign-offs, comments, actions, scenarios, settings.

All rows are in the operator's tenant: only its people see revenue, cost and margin.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.months import Month
from governance.kernel.work.background_work import Generated

SIDES = {"finance": "Finance", "product": "Product"}


class Review(Generated):
    """The review of one month. Its figures are in its revisions.

    `reopened` is the reason why a closed month is open again, until its next revision. `late` lists
    the labels of inputs that changed after the close.
    """

    __tablename__ = "reviews"
    __table_args__ = (
        UniqueConstraint("tenant_id", "month"),
        CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", "month_form"),
    )

    month: Mapped[str]  # 2026-10
    revision: Mapped[int] = mapped_column(default=0)  # the newest number; 0 before the first close
    reopened: Mapped[str | None]
    problem: Mapped[str | None]  # why the last close stopped
    accepted_residual: Mapped[str | None]  # the reason, until the month is reopened
    late: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def is_closed(self) -> bool:
        """Whether the month has figures, even if it was reopened since."""
        return self.revision > 0

    @property
    def is_ready(self) -> bool:
        return self.is_closed and self.reopened is None

    @property
    def its_month(self) -> Month:
        return Month.parse(self.month)


class ReviewRevision(Tenanted, Model):
    """The figures of a closed month. Append-only: a later change is another revision.

    `facts` is a ReviewFacts, `headline` the Headline for pages of other months, and `changes` a
    list of [figure, before, after].
    """

    __tablename__ = "review_revisions"
    __table_args__ = (
        tenant_fk("review_id", "reviews"),
        UniqueConstraint("tenant_id", "review_id", "number"),
    )

    review_id: Mapped[UUID]
    number: Mapped[int]
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    reason: Mapped[str]
    input_digest: Mapped[str]  # over the digests of all inputs, and rates, rules and formulas
    facts: Mapped[dict[str, Any]]
    headline: Mapped[dict[str, Any]]
    changes: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    accepted_residual: Mapped[str | None]  # the reason, if the residual is above the limit


class ReviewSettings(Tenanted, Model):
    """Settings of the close. Without a row, the defaults apply."""

    __tablename__ = "review_settings"
    __table_args__ = (
        UniqueConstraint("tenant_id"),
        CheckConstraint("close_day BETWEEN 1 AND 28", "close_day"),
        CheckConstraint("residual_limit BETWEEN 0 AND 1", "residual_limit"),
    )

    close_day: Mapped[int]  # of the following month
    residual_limit: Mapped[Decimal] = mapped_column(Numeric(5, 4))  # share of invoiced model cost


class GuardrailMonth(Tenanted, Model):
    """Findings of people who reviewed blocks of a customer's guardrail in a month, from a file."""

    __tablename__ = "guardrail_months"
    __table_args__ = (
        UniqueConstraint("tenant_id", "month", "customer_id", "dimension"),
        CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", "month_form"),
        CheckConstraint("confirmed >= 0 AND mistaken >= 0 AND milliseconds >= 0", "counts"),
    )

    month: Mapped[str]
    customer_id: Mapped[UUID]
    dimension: Mapped[str]  # of the policy, such as "prompt_injection"
    confirmed: Mapped[int]  # blocks that prevented harm
    mistaken: Mapped[int]  # blocks that were mistakes
    milliseconds: Mapped[int]  # mean delay added to a request


class ReviewSignOff(Tenanted, Model):
    """One side's sign-off of a revision. The two sides are signed by different people."""

    __tablename__ = "review_sign_offs"
    __table_args__ = (
        tenant_fk("revision_id", "review_revisions"),
        UniqueConstraint("tenant_id", "revision_id", "side"),
        UniqueConstraint("tenant_id", "revision_id", "person_id"),
        CheckConstraint("side IN ('finance', 'product')", "side"),
    )

    revision_id: Mapped[UUID]
    side: Mapped[str]
    person_id: Mapped[UUID]
    signed_at: Mapped[datetime]


class ReviewComment(Tenanted, Model):
    """A comment on a month's review."""

    __tablename__ = "review_comments"
    __table_args__ = (
        tenant_fk("review_id", "reviews"),
        Index(None, "tenant_id", "review_id"),
    )

    review_id: Mapped[UUID]
    revision: Mapped[int]
    person_id: Mapped[UUID]
    body: Mapped[str]


class ReviewAction(Tenanted, Model):
    """A follow-up action that a review decided, with an owner and a due date."""

    __tablename__ = "review_actions"
    __table_args__ = (
        tenant_fk("review_id", "reviews"),
        Index(None, "tenant_id", "review_id"),
        Index("ix_review_actions_open", "tenant_id", postgresql_where=text("done_at IS NULL")),
    )

    review_id: Mapped[UUID]
    title: Mapped[str]
    owner_id: Mapped[UUID]
    due_on: Mapped[date]
    done_at: Mapped[datetime | None]
    done_by: Mapped[UUID | None]


class ReviewScenario(Tenanted, Model):
    """A what-if on a closed month: named assumptions, not actual figures.

    `assumptions` is an Assumptions (scenarios.py).
    """

    __tablename__ = "review_scenarios"
    __table_args__ = (
        tenant_fk("review_id", "reviews"),
        UniqueConstraint("tenant_id", "review_id", "name"),
    )

    review_id: Mapped[UUID]
    name: Mapped[str]
    assumptions: Mapped[dict[str, Any]]
    person_id: Mapped[UUID]
