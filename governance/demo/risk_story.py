"""Acme's risks: scored, mitigated by its controls, some accepted.

One acceptance becomes stale when the penetration test is overdue.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from uuid import UUID

from governance.assurance.evidence import queries as shelf
from governance.assurance.evidence import review_queue, version_actions
from governance.assurance.risks import (
    acceptance_actions,
    actions,
    mitigation_actions,
    queries,
    scale_actions,
    score_actions,
)
from governance.assurance.risks.risk_record import RiskContent
from governance.assurance.risks.scales import DEFAULT
from governance.demo.story import StoryEvent
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.operations.systems import queries as systems

type Ago = Callable[[int], date]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRisk:
    """A risk of the story. `controls` are (ref, what it lowers, steps). `due` is in days."""

    title: str
    system: str
    sources: tuple[str, ...]
    score: tuple[int, int]
    owner: str
    controls: tuple[tuple[str, str, int], ...] = ()
    treatment: str = "reduce"
    plan: str = ""
    due: int | None = None


INJECTION = "Injection through attachments"
UNFAIR = "Unfair triage by region or age"
USE, PROMPT, ENERGY = "Unbounded use", "System prompt leaks", "Environmental cost"
RISKS = (
    ToldRisk(
        title=ENERGY,
        system="",
        sources=("NIST-5",),
        score=(2, 2),
        owner="officer",
        treatment="accept",
    ),
    ToldRisk(
        title=USE,
        system="support-assistant",
        sources=("LLM06:2026", "LLM10:2025"),
        score=(4, 2),
        owner="admin",
        controls=(("SEC-12", "likelihood", 2),),
        treatment="accept",
    ),
    ToldRisk(
        title="Model retired without a tested successor",
        system="",
        sources=("LLM04:2026",),
        score=(4, 3),
        owner="jun",
        controls=(("RES-01", "impact", 1), ("VEN-03", "likelihood", 2)),
    ),
    ToldRisk(
        title=PROMPT,
        system="support-assistant",
        sources=("LLM08:2026", "LLM07:2025"),
        score=(3, 2),
        owner="jun",
        controls=(("SEC-10", "likelihood", 1),),
        treatment="accept",
    ),
    ToldRisk(
        title="Poisoned retrieval content",
        system="support-assistant",
        sources=("LLM05:2026", "LLM09:2026"),
        score=(3, 4),
        owner="jun",
        controls=(("DAT-01", "likelihood", 1), ("SEC-09", "likelihood", 1)),
    ),
    ToldRisk(
        title=UNFAIR,
        system="claims-triage",
        sources=("NIST-6",),
        score=(3, 5),
        owner="jun",
        controls=(("MON-07", "likelihood", 2),),
        plan="Compare outcomes by region and age each month, and retrain where they differ.",
        due=18,
    ),
    ToldRisk(
        title="Misleading claims in ads",
        system="ad-copywriter",
        sources=("LLM07:2026", "NIST-8"),
        score=(4, 4),
        owner="anna",
        controls=(
            ("EVA-01", "likelihood", 1),
            ("PUB-02", "impact", 2),
            ("MON-02", "likelihood", 2),
        ),
    ),
    ToldRisk(
        title=INJECTION,
        system="claims-triage",
        sources=("LLM01:2026", "ASI01:2026"),
        score=(4, 5),
        owner="jun",
        controls=(("SEC-11", "likelihood", 1), ("SEC-04", "likelihood", 4)),
        treatment="accept",
        plan="Attachments are converted to plain text before the model reads them.",
    ),
    ToldRisk(
        title="Copyright in ad copy",
        system="ad-copywriter",
        sources=("NIST-10",),
        score=(3, 4),
        owner="admin",
        controls=(("VEN-01", "impact", 2),),
        treatment="transfer",
        plan="The agency's insurance covers claims up to 2 million euros.",
    ),
    ToldRisk(
        title="Refund without approval",
        system="support-assistant",
        sources=("LLM03:2026", "ASI02:2026"),
        score=(3, 5),
        owner="jun",
        controls=(("HUM-02", "likelihood", 2), ("CHG-01", "likelihood", 1)),
    ),
    ToldRisk(
        title="Personal data reaches the vendor",
        system="support-assistant",
        sources=("LLM02:2026", "NIST-4"),
        score=(4, 4),
        owner="officer",
        controls=(("SEC-01", "likelihood", 1), ("DAT-02", "likelihood", 2)),
    ),
    ToldRisk(
        title="Outdated policy wordings",
        system="claims-triage",
        sources=(),
        score=(4, 4),
        owner="anna",
        controls=(("DAT-01", "likelihood", 2), ("TRA-01", "impact", 2)),
        plan="The wordings of each product get a date after which they aren't retrieved.",
        due=30,
    ),
    ToldRisk(
        title="Adjusters rely on it too much",
        system="claims-triage",
        sources=("NIST-7", "ASI09:2026"),
        score=(4, 4),
        owner="anna",
        controls=(("HUM-01", "impact", 1), ("HR-02", "likelihood", 2)),
        plan="Show the clause beside each proposal, and measure how often adjusters change it.",
        due=45,
    ),
    ToldRisk(
        title="Approvals without a valid source",
        system="claims-triage",
        sources=("LLM07:2026", "NIST-2"),
        score=(5, 5),
        owner="jun",
        controls=(
            ("EVA-01", "likelihood", 2),
            ("EVA-06", "likelihood", 1),
            ("OPS-08", "impact", 1),
        ),
        plan="Grounding is evaluated each week; auto-approve stops when it falls.",
        due=10,
    ),
)
SCALED, FIRST, EACH = (
    160,
    150,
    3,
)  # days ago: the scale, the first risk; then days between two risks
KEPT = (120, 90, 60, 45, 24, 11, 4)  # days ago, when controls changed the scores
ACCEPTED = (  # days ago, the risk, requester, approver, days of validity, reason
    (100, ENERGY, "officer", "jun", 165, "Its energy is that of two laptops."),
    (48, USE, "admin", "officer", 170, "Limits by tenant hold; what is left is cost."),
    (46, PROMPT, "jun", "officer", 260, "The prompt has no secrets, and says so."),
    (20, INJECTION, "jun", "officer", 100, "The test of the third quarter found nothing."),
)


def acme(
    controls: Mapping[str, UUID], person: Callable[[str], UUID], ago: Ago
) -> Iterator[StoryEvent]:
    """Yield the steps. `controls` must be filled before they run."""
    yield StoryEvent(ago(SCALED), "officer", _scale)
    for number, told in enumerate(RISKS):
        step = partial(_create, told, controls, person, ago)
        yield StoryEvent(ago(FIRST - EACH * number), "officer", step, 13)
    for days in KEPT:
        yield StoryEvent(ago(days), "officer", _keep, 6)
    for days, title, requester, approver, lasts, reason in ACCEPTED:
        until = ago(days - lasts)
        yield StoryEvent(ago(days), "jun", _review_incidents, 9)
        yield StoryEvent(ago(days), requester, partial(_request, title, until, reason), 14)
        yield StoryEvent(ago(days), approver, partial(_accept, title), 16)


def _scale() -> None:
    scale_actions.change_scale(
        replace(DEFAULT, max_acceptance_days=400),
        version=DEFAULT.number,
        reason="The risk committee reviews accepted risks once a year, with a month to spare.",
    )


def _create(
    told: ToldRisk, controls: Mapping[str, UUID], person: Callable[[str], UUID], ago: Ago
) -> None:
    content = RiskContent(
        title=told.title,
        description="",
        sources=told.sources,
        system_ids=[systems.system(told.system).id] if told.system else (),
        likelihood=told.score[0],
        impact=told.score[1],
        treatment=told.treatment,
        plan=told.plan,
        due_on=ago(-told.due) if told.due is not None else None,
    )
    risk = actions.create(content, owner_id=person(told.owner))
    for ref, reduces, steps in told.controls:
        mitigation_actions.add_control(risk, controls[ref], reduces=reduces, steps=steps)


def _keep() -> None:
    """Update the scores, as the hourly job does."""
    who = current.actor()
    with current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)):
        score_actions.keep_scores()


def _review_incidents() -> None:
    """Accept the incident reviews that were filed automatically, as Jun.

    Otherwise a control's evidence would be in review when its risk is accepted.
    """
    for _, held in review_queue.queue_page({}, size=1000).rows:
        version, evidence = shelf.find_version(held.version_id, lock=True)
        if version.source == "incident" and version.uploaded_by is None:
            version_actions.accept(version, evidence)


def _request(title: str, until: date, reason: str) -> None:
    risk = queries.open_risk_called(title)
    if risk is None:
        raise LookupError(f"no risk is called {title}")
    after = queries.posture_of(risk).residual
    acceptance_actions.request(
        risk, reason=reason, expires_on=until, seen=(after.likelihood, after.impact)
    )


def _accept(title: str) -> None:
    risk = queries.open_risk_called(title)
    request = queries.open_request(risk.id) if risk else None
    approval = open_approval(queries.APPROVAL, request.id) if request else None
    if approval is None:
        raise LookupError(f"no acceptance of {title} is requested")
    approvals.approve(approval, seen=kinds.fingerprint_seen(approval))
