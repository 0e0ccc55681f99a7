"""Risks that tests create by the product's own actions."""

from datetime import timedelta

from sqlalchemy import select

from governance.assurance.controls import actions as controls
from governance.assurance.controls import control_test_actions
from governance.assurance.controls import queries as control_queries
from governance.assurance.risks import acceptance_actions, actions, mitigation_actions, queries
from governance.assurance.risks.risk_record import RiskContent
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from tests import make
from tests.assurance.evidence import evidence_helpers

FORM = {
    "title": "Approvals without a valid source",
    "description": "A claim is approved by a clause that isn't in the policy.",
    "likelihood": "5",
    "impact": "4",
    "treatment": "reduce",
    "sources": ["LLM09:2025", "NIST-2"],
}
CONTENT = RiskContent(
    title="Approvals without a valid source",
    description="A claim is approved by a clause that isn't in the policy.",
    likelihood=5,
    impact=4,
    treatment="reduce",
    sources=["NIST-2"],
)


def create_system(key="claims-triage", slug="acme"):
    with make.acting("compliance_officer", slug):
        return systems.register(
            key=key,
            stage="live",
            name=key.replace("-", " ").capitalize(),
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
        ).id


def create_risk(owner="contributor", slug="acme", **changes):
    """Create a risk of 5 times 4, owned by the contributor, and return its id."""
    content = {name: getattr(CONTENT, name) for name in RiskContent.__dataclass_fields__}
    with make.acting("compliance_officer", slug):
        who = make.person_id(owner, slug) if owner else None
        return actions.create(RiskContent(**content | changes), owner_id=who).id


def create_effective_control(ref="GRD-02", slug="acme"):
    """Create a control whose last test passed and whose evidence covers the year."""
    control_id = evidence_helpers.create_control(ref, f"Grounding check {ref}", slug=slug)
    evidence_id = evidence_helpers.create_evidence(
        f"Report of {ref}", supports=[control_id], slug=slug
    )
    version = evidence_helpers.upload_version(evidence_id, slug=slug)
    evidence_helpers.accept_version(version, slug=slug)
    record_test(control_id, failed=0, slug=slug)
    return control_id


def create_control_of_globex():
    return evidence_helpers.create_control("GRD-01", "Theirs", owner=None, slug="globex")


def record_test(control_id, *, failed, slug="acme"):
    with make.acting("compliance_officer", slug):
        control_test_actions.record_test(
            control_queries.find_control(control_id),
            tested_on=clock.today(),
            sample=20,
            failed=failed,
            finding="Twelve answers cite no source." if failed else "",
            retest_by=None,
        )


def retire_control(control_id):
    with make.acting():
        controls.retire(control_queries.find_control(control_id), reason="Replaced.")


def mitigate(risk_id, control_id, reduces="likelihood", steps=3):
    with make.acting():
        mitigation_actions.add_control(
            queries.find_risk(risk_id), control_id, reduces=reduces, steps=steps
        )


def request(risk_id, by="compliance_officer", days=90):
    """Request the acceptance at the current score and return the id of its approval."""
    with make.acting(by):
        risk = queries.find_risk(risk_id, lock=True)
        after = queries.posture_of(risk).residual
        made = acceptance_actions.request(
            risk,
            reason="The fix ships next month.",
            expires_on=clock.today() + timedelta(days=days),
            seen=(after.likelihood, after.impact),
        )
        query = select(Approval.id).where(Approval.target_id == made.id)
        return session().scalars(query).one()


def decide(approval_id, by="reviewer"):
    with make.acting(by):
        approval = session().get_one(Approval, (make.actor(by).tenant_id, approval_id))
        approvals.approve(approval, seen=kinds.fingerprint_seen(approval))


def accept(risk_id, days=90):
    decide(request(risk_id, days=days))


def posture(risk_id, slug="acme"):
    with make.acting("compliance_officer", slug, read_only=True):
        found = queries.posture_of(queries.find_risk(risk_id))
        _ = found.residual, found.acceptance
        session().expunge_all()
        return found


def entries(action):
    with make.acting("compliance_officer", read_only=True):
        found = session().scalars(select(AuditEntry).where(AuditEntry.action == action)).all()
        session().expunge_all()
        return found
