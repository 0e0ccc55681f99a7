"""A system with everything that a model card needs, created by the product's own actions."""

import re
from datetime import datetime, timedelta
from uuid import UUID

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.rollouts import queries as rollouts
from governance.operations.rollouts.models import Rollout
from governance.operations.switches.models import Drill
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.model_cards import actions, queries, record
from tests import make
from tests.browser import field_value
from tests.operations.evaluations import evaluation_helpers

SYSTEM = "claims-triage"
APPROVAL = re.compile(r"approvals/[0-9a-f-]{36}")
HOME = f"systems/{SYSTEM}/model-card"
FACTS = {
    "capabilities": ["Explains cover, deductibles and bills"],
    "limits": ["Decide on a claim"],
    "memory_control": "On; turn it off at any time",
    "models": [{"provider": "Helio", "name": "helio-4", "version": "2", "retires_on": ""}],
}


def register_system(slug: str = "acme", *, lane: str = "standard", **facts) -> UUID:
    with make.acting("compliance_officer", slug):
        return systems.register(
            key=SYSTEM,
            stage="live",
            name="Claims triage",
            lane=lane,
            purpose="Ranks incoming claims for adjusters.",
            owner_id=None,
            facts=FACTS | facts,
        ).id


def suite(slug: str = "acme", key: str = "claims-grounding") -> None:
    """Publish a suite of hallucination and of a signal, the median latency."""
    with make.acting("admin", slug):
        made = suite_actions.create(
            key=key, name="Claims grounding", purpose="Answers cite the wording.", pack="support"
        )
        draft = evaluations.versions(made.id)[0]
        kept = [
            suite_actions.copied(each)
            for each in evaluations.measures(draft.id)
            if each.key == "hallucination" or each.is_signal
        ]
        suite_actions.set_measures(draft, kept)
        suite_actions.publish(draft, made)


def evaluated(
    right: int = 300,
    wrong: int = 0,
    *,
    number: int = 1,
    at: datetime | None = None,
    release: str = "2026.11.2",
) -> EvaluationRun:
    """Judge a run of Acme's system that ended yesterday."""
    ended = (at or clock.now() - timedelta(days=1)).isoformat()
    log = evaluation_helpers.log_of(
        right, wrong, run=f"run-{number}", stats={"completed_at": ended}
    )
    return evaluation_helpers.judged(log, release=release)


def drilled(system_id: UUID, *, days: int = 10, slug: str = "acme", state: str = "passed") -> None:
    """Add a drill that ended `days` days ago."""
    ended = clock.now() - timedelta(days=days)
    with make.acting("admin", slug):
        session().add(
            Drill(
                system_id=system_id,
                feature_id=None,
                state=state,
                due_at=ended,
                seconds=60,
                repeat_days=None,
                planned_by=None,
                approved_by=None,
                started_at=ended,
                ended_at=ended,
                expected=14,
                obeyed=14,
                slowest_ms=800,
                evidence_version_id=None,
            )
        )


def rolled_out(
    system_id: UUID, release: str, *, previous: str = "2026.11.1", state: str = "finished"
) -> None:
    """Add a rollout of the system that ended now, at its last stage or rolled back."""
    with make.acting("admin"):
        found = register.features(system_id)
        feature = (
            found[0]
            if found
            else systems.add_feature(
                register.system(system_id), key="auto-approve", fallback="A person decides."
            )
        )
        session().add(
            Rollout(
                number=rollouts.next_number(),
                system_id=system_id,
                feature_id=feature.id,
                change="model",
                release=release,
                previous=previous,
                summary="A larger model.",
                system_version=1,
                risk_class="standard",
                ladder=[],
                on_failure="halt",
                state=state,
                started_at=clock.now(),
                ended_at=clock.now(),
            )
        )


def choose(visitor, release: str, *, seen: int = 0, then: int = 303):
    """Choose the release of the next version as its page offers it."""
    return visitor.post(f"{HOME}/release", then=then, release=release, seen=str(seen))


def complete_system(**more) -> UUID:
    """Create a system whose card can be published."""
    system_id = register_system(**more)
    suite()
    evaluated()
    drilled(system_id)
    return system_id


def add_finding(system_id: UUID) -> UUID:
    """Add an open finding of an evaluation of the system."""
    with make.acting("admin"):
        run = evaluations.runs().rows[0][0]
        made = EvaluationFinding(
            number=1,
            system_id=system_id,
            suite_id=evaluations.suite("claims-grounding").id,
            measure="hallucination",
            name="Hallucination",
            first_run_id=run.id,
            last_run_id=run.id,
            passed_run_id=None,
            closed_at=None,
            closed_by=None,
        )
        session().add(made)
        session().flush()
        return made.id


def now_digest() -> str:
    with make.acting("compliance_officer", read_only=True):
        return record.assembled(register.system(SYSTEM)).digest


def publish(slug: str = "acme") -> None:
    """Publish the card as it is now."""
    with make.acting("compliance_officer", slug):
        found = register.system(SYSTEM)
        actions.publish(found, seen=record.assembled(found).digest)


def requested(visitor) -> str:
    """Request approval of the card as it is now. Return the address of the request."""
    visitor.post(f"{HOME}/", seen=now_digest())
    return APPROVAL.search(visitor.get(f"{HOME}/").text)[0]


def approve(visitor, address: str, *, then: int = 303, seen: str | None = None):
    """Approve as the page of the request offers it."""
    if seen is None:
        seen = field_value(visitor.get(address).text, "seen") or ""
    return visitor.post(address, then=then, verb="approve", seen=seen, typed="", reason="")


def public_path(slug: str = "acme") -> str:
    with make.acting("compliance_officer", slug, read_only=True):
        return f"/model-cards/{slug}/{queries.public_token(register.system(SYSTEM).id)}"
