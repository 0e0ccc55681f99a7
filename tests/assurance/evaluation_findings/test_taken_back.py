"""Consequences of a run are reverted when its suite version is withdrawn or its judge changes."""

import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import adoption_actions
from governance.assurance.controls import queries as controls
from governance.assurance.evaluation_findings import (
    finding_actions,
    mapping_actions,
    queries,
    reconsidering,
)
from governance.assurance.evidence import version_actions, version_queries, withdrawing
from governance.assurance.evidence.models import Evidence, EvidenceVersion, EvidenceWithdrawal
from governance.assurance.frameworks import actions as adopting
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import actions as judge_actions
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.releases.promotion import promotion_verdict
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import (
    CONTROL,
    MISSES,
    NOW,
    PASSES,
    findings,
    judged_control,
    misses_of,
    run,
    serve,
)
from tests.operations.evaluations.evaluation_helpers import drain, published_suite, system

TITLE = "Evaluation of claims-triage: Claims grounding"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    """Let EVA-01 depend on the measure hallucination, which a registered judge judges."""
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([CONTROL], with_evidence=False)
        suite = published_suite()
        system()
        control = controls.find_controls([row[0] for row in controls.choices()])[0]
        mapping_actions.map_measure(suite, "hallucination", control)
        judge("2026-08-01")
    with clock.frozen(NOW):
        yield


def judge(version):
    return judge_actions.register(
        evaluations.suite("claims-grounding"),
        measure="hallucination",
        provider="openai",
        name="judge-1",
        version=version,
    )


def another_judge(*, minutes=10):
    with clock.frozen(NOW + timedelta(minutes=minutes)):
        with make.acting("admin"):
            judge("2026-11-20")
        drain()


def withdraw_version(minutes=10):
    with clock.frozen(NOW + timedelta(minutes=minutes)):
        with make.acting("admin"):
            suite = evaluations.suite("claims-grounding")
            suite_actions.withdraw(evaluations.version(suite.id), suite, reason="Cases leaked.")
        drain()


def accept():
    """Accept each version that awaits a review."""
    with make.acting("compliance_officer"):
        for each in session().scalars(
            select(EvidenceVersion).where(EvidenceVersion.source == "evaluation")
        ):
            version_actions.accept(
                each, session().get_one(Evidence, (each.tenant_id, each.evidence_id))
            )


def withdrawals():
    with make.acting("admin"):
        query = select(EvidenceWithdrawal.reason).order_by(EvidenceWithdrawal.created_at)
        return list(session().scalars(query))


def entries(action):
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == action)
        return len(session().scalars(query).all())


def evidence_reasons(*, minutes=20):
    with clock.frozen(NOW + timedelta(minutes=minutes)):
        found = judged_control()
        return found, [
            (each.fact, each.consequence) for each in found.reasons if each.kind == "evidence"
        ]


# ---- a suite version


def test_evidence_of_a_version_that_is_withdrawn_later_counts_no_more_and_says_why():
    run(PASSES, 1)
    accept()
    before, _why = evidence_reasons()
    assert before.has_evidence and before.name == "evidenced"
    withdraw_version()
    after, why = evidence_reasons()
    assert (after.has_evidence, after.name) == (False, "missing")
    reason = "Run 1: version 1 of the suite was withdrawn."
    assert why == [(f"{TITLE} is missing.", f"Version 1 was withdrawn: {reason} It has no owner.")]
    assert withdrawals() == [reason] and entries("evidence.version.withdrawn") == 1


def test_before_the_withdrawal_the_evidence_counted_as_it_was_known_then():
    run(PASSES, 1)
    accept()
    withdraw_version(minutes=10)
    earlier, why = evidence_reasons(minutes=5)
    assert (earlier.name, why) == ("evidenced", [])


def test_evidence_in_review_is_withdrawn_too_and_nobody_can_accept_it(as_officer):
    run(PASSES, 1)
    withdraw_version()
    with pytest.raises(DomainError, match="Version 1 was withdrawn: Run 1"):
        accept()
    with make.acting("compliance_officer"):
        version = session().scalars(select(EvidenceVersion)).one()
        item, version_id = version.evidence_id, version.id
    with clock.frozen(NOW + timedelta(minutes=20)):
        page = as_officer.get(f"/t/acme/evidence/{item}").text
        assert "Withdrawn" in page and "Run 1: version 1 of the suite was withdrawn." in page
        assert "Review version 1" not in page
        review = as_officer.get(f"/t/acme/evidence/versions/{version_id}/review").text
        assert "Run 1: version 1 of the suite was withdrawn." in review
        assert "No versions" in as_officer.get("/t/acme/evidence/inbox").text


def test_the_next_version_of_the_suite_files_evidence_that_counts_again():
    run(PASSES, 1, day=23)
    withdraw_version(minutes=-600)
    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        suite_actions.publish(suite_actions.draft(suite), suite)
    run(PASSES, 2, day=25, hour=8)
    with make.acting("admin"):
        item = session().scalars(select(Evidence).where(Evidence.title == TITLE)).one()
        shown = [(v.number, v.withdrawn is None) for v in version_queries.shown_versions(item)]
    assert shown == [(2, True), (1, False)]


def test_a_second_event_withdraws_nothing_twice():
    run(PASSES, 1)
    withdraw_version()
    with make.acting("admin"):
        suite_id = evaluations.suite("claims-grounding").id
    for _again in range(2):
        with current.acting_as(make.system_actor("acme")):
            reconsidering.reconsider(suite_id)
    assert len(withdrawals()) == 1


def test_no_person_withdraws_what_meridian_filed():
    run(PASSES, 1)
    with make.acting("admin"), pytest.raises(Forbidden):
        version = session().scalars(select(EvidenceVersion)).one()
        withdrawing.withdraw(version, reason="I don't like it.")
    assert withdrawals() == []


# ---- a judge


def test_another_judge_withdraws_the_evidence_of_the_figures_it_did_not_judge(as_officer):
    run(PASSES, 1)
    accept()
    another_judge()
    reason = "Run 1: Judged before openai/judge-1, version 2026-11-20 became the judge."
    assert withdrawals() == [reason]
    after, _why = evidence_reasons()
    assert (after.name, after.has_evidence) == ("missing", False)
    with make.acting("admin"):
        control = controls.choices()[0][0]
    with clock.frozen(NOW + timedelta(minutes=20)):
        page = as_officer.get(f"/t/acme/controls/{control}").text
    assert page.count("Judged before openai/judge-1, version 2026-11-20 became the judge") == 2
    assert "Undecided" in page


def test_evidence_that_ended_before_another_judge_keeps_its_period():
    run(PASSES, 1)
    another_judge(minutes=60 * 24 * 40)
    assert withdrawals() == []


def test_a_judge_of_a_measure_without_controls_withdraws_nothing():
    run(PASSES, 1)
    with clock.frozen(NOW + timedelta(minutes=10)):
        with make.acting("admin"):
            suite = evaluations.suite("claims-grounding")
            for version in ("1", "2"):
                judge_actions.register(
                    suite, measure="task-success", provider="openai", name="j", version=version
                )
        drain()
    assert withdrawals() == []


def upload_labels(client, content):
    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        (found,) = judge_queries.judges_of([suite.id])
        path = f"/t/acme/evaluations/judges/{found.id}/labels"
    client.post(path, file=(io.BytesIO(content), "labels.csv"))
    drain()


def labels(agreed, disagreed):
    rows = ["case,human,judge"]
    for n in range(agreed):
        rows += [f"a{n},pass,pass", f"b{n},fail,fail"]
    for n in range(disagreed):
        rows += [f"c{n},pass,fail", f"d{n},fail,pass"]
    return "\n".join(rows).encode()


def test_labels_that_do_not_confirm_the_judge_withdraw_evidence_and_block_the_gate(as_admin):
    run(PASSES, 1)
    upload_labels(as_admin, labels(30, 2))
    assert withdrawals() == []
    with clock.frozen(NOW + timedelta(minutes=10)):
        upload_labels(as_admin, labels(10, 10))
    says = "People's labels don't confirm openai/judge-1, version 2026-08-01"
    assert withdrawals() == [f"Run 1: {says}."]
    with make.acting("admin"):
        found = promotion_verdict(register.system("claims-triage").id, "2026.11.2")
    reason = next(each for each in found.reasons if each.measure == "hallucination")
    assert (reason.verdict, reason.says) == ("undecided", f"Hallucination: {says}.")


# ---- findings


def test_a_pass_of_an_earlier_judge_proposes_to_close_nothing_any_more():
    run(MISSES, 1, day=23)
    serve("2026.11.3")
    run(PASSES, 2, release="2026.11.3")
    assert findings()[0].passed_run_id is not None
    another_judge()
    (found,) = findings()
    assert (found.passed_run_id, found.is_open) == (None, True)
    assert entries("evaluation.finding.pass_taken_back") == 1


def test_a_finding_that_is_closed_before_the_work_names_no_stale_pass():
    run(MISSES, 1, day=23)
    serve("2026.11.3")
    run(PASSES, 2, release="2026.11.3")
    with clock.frozen(NOW + timedelta(minutes=10)):
        with make.acting("admin"):
            judge("2026-11-20")
        with make.acting("compliance_officer"):
            finding_actions.close(queries.finding(findings()[0].id), note="Seen.")
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "evaluation.finding.closed")
        assert session().scalars(query).one().facts.get("passed_run") is None


def test_a_miss_of_an_earlier_judge_stays_open_and_is_shown_as_undecided(as_officer):
    run(MISSES, 1)
    another_judge()
    with clock.frozen(NOW + timedelta(minutes=20)):
        assert misses_of()
        (found,) = findings()
        page = as_officer.get(f"/t/acme/evaluations/findings/{found.id}").text
        assert "The newest run decides nothing any more." in page
        why = "Judged before openai/judge-1, version 2026-11-20 became the judge"
        assert why in page and "Hallucination is undecided" in page
        for path in ("evaluations/findings/", "systems/claims-triage/findings"):
            assert why in as_officer.get(f"/t/acme/{path}").text


def test_a_miss_of_a_withdrawn_version_is_shown_as_undecided(as_officer):
    run(MISSES, 1)
    withdraw_version()
    with clock.frozen(NOW + timedelta(minutes=20)):
        page = as_officer.get("/t/acme/evaluations/findings/").text
        assert "Version 1 of the suite was withdrawn" in page
