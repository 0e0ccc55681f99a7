"""Risk acceptances: a second person accepts until a day; what voids and outdates them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.risks import acceptance_actions, actions, queries, score_actions
from governance.assurance.risks.models import RiskAcceptance
from governance.foundation.approvals.actions import Edited
from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid
from governance.operations.systems import actions as system_actions
from governance.operations.systems import queries as systems
from tests import make
from tests.assurance.risks import risk_helpers
from tests.browser import words

FORM = {"reason": "The fix ships next month.", "seen": "5x4"}


def in_days(days):
    return str(clock.today() + timedelta(days=days))


def states():
    with make.acting(read_only=True):
        query = select(RiskAcceptance.state).order_by(RiskAcceptance.requested_at)
        return list(session().scalars(query))


def approvals():
    with make.acting(read_only=True):
        found = session().execute(select(Approval.id, Approval.state).order_by(Approval.number))
        return [tuple(row) for row in found]


def test_a_second_person_accepts_a_risk_until_a_day(as_officer, as_reviewer):
    risk = risk_helpers.create_risk()
    shown = words(as_officer.get(f"risks/{risk}/acceptance"))
    assert "Another person accepts the risk at its present score" in shown
    for _ in range(2):  # Clicked twice.
        as_officer.post(f"risks/{risk}/acceptance", expires_on=in_days(90), **FORM)
    ((approval, _state),) = approvals()
    page = words(as_reviewer.get(f"approvals/{approval}"))
    for part in ("accept RSK-1", "20 (5 × 4)", "Likelihood: 5, nothing earned.", "Anna Rossi"):
        assert part in page, part
    assert "Requested" in words(as_officer.get("risks/"))
    risk_helpers.decide(approval)
    assert risk_helpers.posture(risk).acceptance.name == "accepted"
    shown = words(as_officer.get(f"risks/{risk}"))
    assert "Jun Chen" in shown and "Until" in shown
    assert [
        len(risk_helpers.entries(f"risk.acceptance.{each}")) for each in ("requested", "approved")
    ] == [1, 1]


def test_neither_the_owner_nor_the_requester_accepts_it(database):
    risk = risk_helpers.create_risk("reviewer")
    approval = risk_helpers.request(risk)
    with pytest.raises(Forbidden, match="You own this risk"):
        risk_helpers.decide(approval, by="reviewer")
    with pytest.raises(Forbidden, match="You requested this yourself"):
        risk_helpers.decide(approval, by="compliance_officer")
    risk_helpers.decide(approval, by="admin")
    assert states() == ["accepted"]


def test_the_owner_sees_on_its_page_why_they_cannot_accept_it(as_reviewer):
    approval = risk_helpers.request(risk_helpers.create_risk("reviewer"))
    assert "You own this risk" in words(as_reviewer.get(f"approvals/{approval}"))


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_day_in_the_past_or_beyond_the_limit_is_refused(as_officer, days):
    risk = risk_helpers.create_risk()
    page = as_officer.post(f"risks/{risk}/acceptance", then=422, expires_on=in_days(days), **FORM)
    assert "Enter a day" in page.text and states() == []
    as_officer.post(f"risks/{risk}/acceptance", expires_on=in_days(365), **FORM)


@pytest.mark.parametrize(
    ("field", "value"), [("reason", " "), ("expires_on", "later"), ("seen", "2x2"), ("seen", "x")]
)
def test_what_a_request_may_not_be(as_officer, field, value):
    risk = risk_helpers.create_risk()
    form = {"expires_on": in_days(30), **FORM} | {field: value}
    as_officer.post(f"risks/{risk}/acceptance", then=422, **form)
    assert states() == []


def test_a_risk_without_an_owner_is_not_accepted(database):
    risk = risk_helpers.create_risk(owner=None)
    with pytest.raises(DomainError, match="has no owner"):
        risk_helpers.request(risk)


@pytest.mark.parametrize("what", ["edit", "assign", "control", "close"])
def test_a_change_of_the_risk_voids_the_request(database, what):
    risk = risk_helpers.create_risk()
    control = risk_helpers.create_effective_control()
    risk_helpers.request(risk)
    if what == "control":
        risk_helpers.mitigate(risk, control)
    with make.acting():
        row = queries.find_risk(risk, lock=True)
        if what == "edit":
            actions.edit(row, replace(risk_helpers.CONTENT, plan="A plan."), version=1)
        elif what == "assign":
            actions.assign(row, make.person_id("reviewer"))
        elif what == "close":
            actions.close(row, reason="It is gone.")
    assert states() == ["voided"] and approvals()[0][1] == "voided"


def test_a_score_that_changed_since_the_request_is_not_accepted(database):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.mitigate(risk, control)
    approval = risk_helpers.request(risk)
    risk_helpers.record_test(control, failed=12)
    with pytest.raises(Edited):
        risk_helpers.decide(approval)


def test_a_failing_control_makes_the_acceptance_stale_for_good(as_contributor):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.mitigate(risk, control, steps=1)
    risk_helpers.accept(risk)
    assert "Acceptance is stale" not in words(as_contributor.get("inbox/"))
    risk_helpers.record_test(control, failed=12)
    assert risk_helpers.posture(risk).acceptance.word == "Stale: given at 16"
    with make.acting():
        score_actions.keep_scores()
    entry = risk_helpers.entries("risk.acceptance.lapsed")[0]
    assert entry.facts["score"] == 16
    assert entry.facts["cause"] == "The score is 20 now: GRD-02 is failing, was effective."
    assert "Acceptance is stale: approvals without a valid source" in words(
        as_contributor.get("inbox/")
    )
    # The control works again, yet the risk needs a new acceptance.
    risk_helpers.record_test(control, failed=0)
    with make.acting():
        score_actions.keep_scores()
    found = risk_helpers.posture(risk)
    assert found.residual.score == 16 and found.acceptance.name == "stale"
    assert len(risk_helpers.entries("risk.acceptance.lapsed")) == 1


def test_a_new_acceptance_replaces_the_stale_one(database):
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk)
    with make.acting():
        content = replace(risk_helpers.CONTENT, likelihood=4)
        actions.edit(queries.find_risk(risk, lock=True), content, version=1)
    assert risk_helpers.posture(risk).acceptance.name == "stale"
    risk_helpers.accept(risk)
    assert states() == ["replaced", "accepted"]
    assert risk_helpers.posture(risk).acceptance.name == "accepted"


def test_an_acceptance_that_expires_soon_is_in_its_owners_inbox(as_contributor, as_viewer):
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk, days=5)
    assert "Acceptance expires soon" in words(as_contributor.get("inbox/"))
    assert "1 acceptance expires on" in words(as_viewer.get("risks/"))
    risk_helpers.request(risk)
    assert "Acceptance expires soon" not in words(as_contributor.get("inbox/"))


def test_a_substantial_change_of_a_system_makes_its_acceptances_stale(as_viewer):
    system, other = risk_helpers.create_system(), risk_helpers.create_system("ad-copywriter")
    risk = risk_helpers.create_risk(system_ids=[system])
    kept = risk_helpers.create_risk(title="Other", system_ids=[other])
    for each in (risk, kept):
        risk_helpers.accept(each)
    with make.acting():
        row = systems.system(system, lock=True)
        system_actions.edit(
            row,
            seen=system_actions.revision(row),
            name=row.name,
            purpose="Decides claims.",
            owner_id=None,
        )
    found = risk_helpers.posture(risk)
    assert found.acceptance.name == "stale"
    assert "Claims triage changed in version 2: the purpose" in found.given.stale_reason
    page = words(as_viewer.get("systems/claims-triage"))
    assert "Acceptance of RSK-1" in page
    assert risk_helpers.posture(kept).acceptance.name == "accepted"


def test_an_acceptance_that_is_no_longer_needed_ends_instead_of_going_stale(as_contributor):
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.accept(risk)
    risk_helpers.mitigate(risk, control)
    assert risk_helpers.posture(risk).acceptance.name == "not_needed"
    assert states() == ["ended"] and len(risk_helpers.entries("risk.acceptance.ended")) == 1
    assert not risk_helpers.entries("risk.acceptance.lapsed")
    assert "Acceptance" not in words(as_contributor.get("inbox/"))


def test_an_expired_acceptance_no_longer_holds(database):
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk, days=5)
    with clock.frozen(clock.now() + timedelta(days=6)):
        assert risk_helpers.posture(risk).acceptance.name == "expired"


def test_a_rejected_request_leaves_the_risk_unaccepted(as_reviewer):
    risk = risk_helpers.create_risk()
    approval = risk_helpers.request(risk)
    as_reviewer.post(f"approvals/{approval}", verb="reject", reason="Fix it first.")
    assert states() == ["rejected"]
    assert risk_helpers.posture(risk).acceptance.name == "none"
    with make.acting(), pytest.raises(Invalid):
        acceptance_actions.request(
            queries.find_risk(risk, lock=True),
            reason="",
            expires_on=clock.today(),
            seen=(5, 4),
        )
