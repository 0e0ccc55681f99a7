"""Acme's service agreement, the month that was closed, and the drafts of the next versions.

promise(…)            the agreement with Acme: drafted by the operator, accepted by both sides
draft_both_sides(…)   its next version, another agreement that Acme drafts, a rehearsal of all
close_month(…)        what the jobs process does automatically on the closing day
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.demo.cast import Cast, system_actor
from governance.demo.reliability_setting import CLOSE_DAY, ZONE, acting
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.queries import tenant_by_slug
from governance.foundation.tenants.system_actor import visiting
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.kernel.work import jobs
from governance.operations.agreements import (
    acceptance_actions,
    actions,
    proposal_actions,
    queries,
    rehearsal_work,
)
from governance.operations.agreements.drafts import (
    Bands,
    CommitmentContent,
    Content,
    SupportContent,
    content_of,
)
from governance.operations.agreements.models import TO_TENANT
from governance.operations.agreements.starting_terms import WORKDAYS
from governance.publishing.statements import dispute_actions
from governance.publishing.statements import queries as statements
from governance.publishing.statements.actions import request_revision
from governance.publishing.statements.jobs import start_due
from governance.publishing.statements.queries import due_here

RENEWAL = "Renewal: tighter availability, for a higher fee."
MONTHLY_FEE = 1_240_000  # in cents
COMMITMENTS: tuple[
    tuple[str, str, Bands, int], ...
] = (  # objective, target, bands, part of the fee
    (
        "claims-triage · Availability",
        "0.99",
        [["0.99", "0.1"], ["0.98", "0.25"], ["0.95", "0.5"]],
        520_000,
    ),
    (
        "support-assistant · First token under 1.2 s",
        "0.95",
        [["0.95", "0.05"], ["0.9", "0.1"]],
        480_000,
    ),
    (
        "support-assistant · Availability",
        "0.999",
        [["0.999", "0.05"], ["0.995", "0.1"]],
        480_000,
    ),
    (
        "ad-copywriter · Availability",
        "0.995",
        [["0.995", "0.1"]],
        240_000,
    ),
)
SUPPORT_TIMES = ((1, 15, 240), (2, 60, 480), (3, 240, 1440), (4, 480, None))  # severity, minutes


def promise(acme: Cast, operator: Actor, objectives: Mapping[str, UUID], closed: Span) -> None:
    """Draft the agreement as the operator, propose it, and accept it as one person of each side."""
    with acting(visitor(operator, "acme")):
        draft = actions.create(
            "AI services for Acme Insurance",
            _terms(objectives, closed.start),
            reason="First agreement on service levels.",
        )
        proposal_actions.propose(draft, seen=draft.edited)
        acceptance_actions.accept(draft, seen=draft.fingerprint, title="Service management")
        draft_id = draft.id
    with acting(acme("admin")):
        version = queries.version(draft_id)
        acceptance_actions.accept(
            version, seen=version.fingerprint, title="Head of claims operations"
        )


def _terms(objectives: Mapping[str, UUID], start: datetime) -> Content:
    return Content(
        effective_from=start,
        time_zone=ZONE,
        currency="EUR",
        monthly_fee=MONTHLY_FEE,
        credit_cap=Decimal("0.3"),
        minimum_coverage=Decimal("0.95"),
        close_day=CLOSE_DAY,
        maintenance_notice_hours=72,
        excluded_categories=("maintenance", "customer_caused"),
        claim_days=30,
        business_hours=business_hours(),
        commitments=tuple(
            CommitmentContent(
                objective_id=objectives[name],
                target=Decimal(target),
                bands=bands,
                fee_part=fee,
            )
            for name, target, bands, fee in COMMITMENTS
        ),
        support=tuple(
            SupportContent(
                severity=severity,
                response_minutes=response,
                resolution_minutes=resolution,
                clock="24x7" if severity == 1 else "business_hours",
                target=Decimal("0.95"),
                bands=[["0.95", "0.02"]],
                fee_part=MONTHLY_FEE,
            )
            for severity, response, resolution in SUPPORT_TIMES
        ),
    )


def business_hours() -> dict[str, Any]:
    return {
        "zone": ZONE,
        "country": "DE",
        "subdivision": "BE",
        "hours": {day: [["08:00", "18:00"]] for day in WORKDAYS},
    }


def draft_both_sides(
    acme: Cast, operator: Actor, objectives: Mapping[str, UUID], now: datetime
) -> None:
    """Draft the next version as the operator and another agreement as Acme, and rehearse all.

    Neither side sees the other's draft until it is proposed.
    """
    with acting(visitor(operator, "acme")):
        agreement = session().scalars(queries.visible(TO_TENANT)).one()
        base = queries.accepted_versions([agreement.id])[agreement.id][-1]
        draft = actions.draft_next(agreement, base, reason=RENEWAL)
        content = content_of(draft, queries.parts(draft.id), is_vendor=False)
        actions.save_draft(draft, _renewed(content, now), seen=draft.edited, reason=RENEWAL)
    with acting(acme("officer")):
        actions.create(
            "Quality of claims triage",
            _quality_terms(objectives, _month_after_next(now)),
            reason="Availability alone doesn't say whether an approval is right.",
        )
    with acting(operator):
        rehearsal_work.start(rehearsal_work.OWN)


def _renewed(content: Content, now: datetime) -> Content:
    """Return the content of the next version: higher availability targets for a higher fee."""
    return replace(
        content,
        effective_from=_month_after_next(now),
        monthly_fee=content.monthly_fee + 60_000,
        commitments=tuple(
            replace(each, target=Decimal("0.995"), bands=[["0.995", "0.05"], *each.bands])
            if each.target == Decimal("0.99")
            else each
            for each in content.commitments
        ),
    )


def _quality_terms(objectives: Mapping[str, UUID], start: datetime) -> Content:
    return replace(
        _terms(objectives, start),
        monthly_fee=240_000,
        commitments=(
            CommitmentContent(
                objective_id=objectives["claims-triage · Grounded approvals"],
                target=Decimal("0.99"),
                bands=[["0.99", "0.1"], ["0.97", "0.25"]],
                fee_part=240_000,
            ),
        ),
        support=(),
    )


def _month_after_next(now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(ZONE))
    month = Month(local.year, local.month).plus(2)
    return datetime(month.year, month.number, 1, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


def close_month() -> None:
    """Close the months that are due, request revisions for late data, and run the queued jobs."""
    with current.acting_as(system_actor("acme")):
        with transaction():
            start_due(clock.now())
        with transaction():
            for each in due_here():
                request_revision(each)
        jobs.drain(actor_of, of=current.actor().tenant_id)


def dispute_first_exclusion(reason: str) -> None:
    """Dispute an excluded window of the newest statement, in the current transaction."""
    statement = statements.newest(limit=1)[0].statement
    row = statements.revision_numbered(statement.id, statement.revision)
    first = (row.facts["exclusions"] if row is not None else [])[0]
    dispute_actions.raise_dispute(
        statement,
        kind="exclusion",
        span=dispute_actions.exclusion_span(statement, first["ref"], first["from"]),
        exclusion=first["ref"],
        reason=reason,
    )


def visitor(operator: Actor, slug: str) -> Actor:
    """Return the actor for an operator who works in a tenant, as on the operator's pages."""
    with transaction():
        tenant = tenant_by_slug(slug)
        if tenant is None:
            raise LookupError(slug)
        return visiting(operator, tenant)
