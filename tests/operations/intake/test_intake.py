"""Intake: a team proposes, triage classifies, a reviewer corrects, another person approves."""

from uuid import uuid4

import pytest

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.kernel.errors import Forbidden
from governance.operations.intake import law, queries
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.intake.intake_helpers import (
    approval_of,
    decide,
    form,
    propose,
    seen_in,
)

CLASSES = {"eu_class": "minimal", "risk_class": "standard", "reason": "Its task is narrow."}


def row(proposal_id, slug="acme"):
    with make.acting("compliance_officer", slug, read_only=True):
        found = queries.proposal(proposal_id)
        return found.state, found.eu_class, found.risk_class, found.open_questions


def test_a_proposal_becomes_a_system_once_another_person_approves_it(
    as_contributor, as_officer, as_viewer, acting
):
    made = propose(as_contributor)
    text = main_text(as_contributor.get(f"intake/{made}"))
    assert "Annex III(5)" in text and "Article 6(3)" in text and "In review" in text
    assert "Edit answers" in text and "Set classes" not in text
    assert "Premium advisor" in main_text(as_viewer.get("intake/"))
    address = approval_of(as_officer, made)
    page = main_text(as_officer.get(address))
    assert "Premium advisor" in page and "Impact on fundamental rights" in page
    decide(as_officer, address)
    assert row(made)[0] == "approved"
    text = main_text(as_contributor.get(f"intake/{made}", follow_redirects=True))
    assert "Approved" in text and "Ines Duarte approved a proposed AI system" in text
    with acting("viewer", read_only=True):
        found = register.system("premium-advisor")
        assert (found.name, found.lane) == ("Premium advisor", "high_risk")
        assert found.purpose == "Suggests premiums of health policies to underwriters."
        assert (found.stage, found.autonomy, found.ai_act_class) == (
            "in_review",
            "advice",
            "high_risk",
        )
        assert found.intended_users == "Underwriters; applicants are affected."
        assert "Annex III(5)" in found.ai_act_reason
        assert found.owner_id == make.person_id("contributor")
        assert queries.proposal_of_system(found.id).id == made


def test_its_proposer_cannot_approve_it(as_officer, acting):
    made = propose(as_officer)
    address = approval_of(as_officer, made)
    assert "You proposed this system" in as_officer.get(address).text
    with acting("compliance_officer"):
        request = queries.open_request(queries.proposal(made))
        with pytest.raises(Forbidden, match="You proposed this system"):
            approvals.approve(request, seen=kinds.fingerprint_seen(request))
    assert row(made)[0] == "in_review"


def test_answers_that_are_missing_keep_it_from_being_approved(as_contributor, as_officer):
    made = propose(as_contributor, area=None, practices=None)
    assert row(made)[3] == 2
    text = main_text(as_contributor.get(f"intake/{made}"))
    assert "2 questions without an answer" in text and "No answer yet" in text
    address = approval_of(as_officer, made)
    decide(as_officer, address, then=422)
    assert row(made)[0] == "in_review"
    assert "Complete PRO-1 Premium advisor" in main_text(as_contributor.get("inbox/"))
    assert "Premium advisor" not in main_text(as_officer.get("inbox/"))
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form())
    assert "Premium advisor" in main_text(as_officer.get("inbox/"))
    decide(as_officer, address)
    assert row(made) == ("approved", "high_risk", "high_risk", 0)


def test_an_approval_of_answers_that_have_changed_is_refused(as_contributor, as_officer):
    made = propose(as_contributor)
    address = approval_of(as_officer, made)
    stale = seen_in(as_officer.get(address))
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form(decides="alone"))
    reply = as_officer.post(address, then=409, verb="approve", seen=stale, typed="", reason="")
    assert "Review the request as it is now" in reply.text and row(made)[0] == "in_review"
    decide(as_officer, address)
    assert row(made)[0] == "approved"


def test_two_tabs_do_not_overwrite_each_other(as_contributor):
    made = propose(as_contributor)
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form(users="Brokers"))
    reply = as_contributor.post(f"intake/{made}/edit", then=409, seen=seen, **form(users="Agents"))
    assert "was changed by Anna Rossi since you opened it" in main_text(reply)
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form(users="Brokers"))  # No change.
    assert "Brokers" in main_text(as_contributor.get(f"intake/{made}"))


def test_a_form_sent_twice_proposes_one_system(as_contributor, acting):
    once = str(uuid4())
    first, second = (as_contributor.post("intake/new", once=once, **form()) for _ in range(2))
    assert first.location == second.location
    with acting("viewer", read_only=True):
        assert len(queries.page_of({}).rows) == 1


def test_a_reviewer_sets_the_classes_with_a_reason(as_contributor, as_officer, as_reviewer):
    made = propose(as_contributor)
    as_contributor.get(f"intake/{made}/classes", then=403)
    seen = seen_in(as_officer.get(f"intake/{made}/classes"))
    address = f"intake/{made}/classes"
    as_officer.post(address, then=422, seen=seen, **{**CLASSES, "reason": " "})
    as_officer.post(address, then=422, seen=seen, **{**CLASSES, "eu_class": "unknown"})
    wrong = {**CLASSES, "eu_class": "high_risk"}
    assert "the risk class is high" in as_officer.post(address, then=422, seen=seen, **wrong).text
    as_officer.post(address, seen=seen, **CLASSES)
    assert row(made)[1:3] == ("minimal", "standard")
    as_reviewer.post(address, then=409, seen=seen, **{**CLASSES, "eu_class": "transparency"})
    text = main_text(as_contributor.get(f"intake/{made}"))
    assert "Ines Duarte set the classes by hand. Its task is narrow. Triage proposes: High" in text


def test_who_lowered_a_class_cannot_approve_it_but_who_raised_one_can(
    as_contributor, as_officer, as_reviewer
):
    lowered, raised = propose(as_contributor), propose(as_contributor, key="other", area="none")
    for made, given in (
        (lowered, CLASSES),
        (raised, {**CLASSES, "eu_class": "high_risk", "risk_class": "high_risk"}),
    ):
        seen = seen_in(as_officer.get(f"intake/{made}/classes"))
        as_officer.post(f"intake/{made}/classes", seen=seen, **given)
    address = approval_of(as_officer, lowered)
    assert "or lowered its class, so another person decides" in as_officer.get(address).text
    decide(as_officer, approval_of(as_officer, raised))
    decide(as_reviewer, address)
    assert row(lowered)[:3] == ("approved", "minimal", "standard")
    assert row(raised)[:2] == ("approved", "high_risk")


def test_a_proposer_does_not_set_the_classes_of_their_own_proposal(as_officer, as_reviewer):
    made = propose(as_officer)
    refused = as_officer.post(f"intake/{made}/classes", then=403, seen="1", **CLASSES)
    assert "You proposed PRO-1 yourself" in refused.text
    as_reviewer.post(f"intake/{made}/classes", seen="1", **CLASSES)


def test_changed_answers_take_back_a_class_that_was_set_by_hand(as_contributor, as_officer):
    made = propose(as_contributor)
    as_officer.post(f"intake/{made}/classes", seen="1", **CLASSES)
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form(users="Brokers"))
    assert row(made)[1] == "high_risk"
    assert "set the classes by hand" not in main_text(as_officer.get(f"intake/{made}"))


def test_a_prohibited_practice_cannot_be_approved(as_contributor, as_officer):
    made = propose(as_contributor, practices=["c"])
    text = main_text(as_officer.get(f"intake/{made}"))
    assert "Prohibited practice" in text and "Article 5(1)(c)" in text
    reply = decide(as_officer, approval_of(as_officer, made), then=409)
    assert "Article 5 of the EU AI Act prohibits" in reply.text and row(made)[0] == "in_review"


def test_a_rejection_shows_its_reason_to_the_proposer(as_contributor, as_officer, acting):
    made = propose(as_contributor)
    address = approval_of(as_officer, made)
    decide(as_officer, address, "reject", then=422, reason=" ")
    decide(as_officer, address, "reject", reason="Another team builds it already.")
    text = main_text(as_contributor.get(f"intake/{made}"))
    assert "Rejected" in text and "Ines Duarte rejected it on" in text
    assert "Another team builds it already." in text and "Edit answers" not in text
    as_contributor.post(f"intake/{made}/edit", then=409, seen="1", **form(users="Brokers"))
    as_officer.post(f"intake/{made}/classes", then=409, seen="1", **CLASSES)
    with acting("viewer", read_only=True):
        assert register.live_systems() == []


def test_a_proposer_withdraws_their_own_proposal(as_contributor):
    made = propose(as_contributor)
    decide(as_contributor, approval_of(as_contributor, made), "withdraw", reason="")
    assert row(made)[0] == "withdrawn"


def test_a_slug_that_a_system_took_meanwhile_blocks_the_approval(
    as_contributor, as_officer, acting
):
    made = propose(as_contributor)
    with acting("admin"):
        systems.register(
            key="premium-advisor",
            stage="live",
            name="Advisor",
            lane="standard",
            purpose="x",
            owner_id=None,
        )
    reply = decide(as_officer, approval_of(as_officer, made), then=409)
    assert "Advisor has the slug premium-advisor meanwhile" in reply.text
    taken = as_contributor.post("intake/new", then=422, once=str(uuid4()), **form())
    assert "Advisor already has the slug" in taken.text
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **form(key="premiums"))
    decide(as_officer, approval_of(as_officer, made))
    assert row(made)[0] == "approved"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": " "}, "Enter a name."),
        ({"name": "x" * 121}, "120"),
        ({"purpose": ""}, "Describe what it does."),
        ({"users": ""}, "Describe who uses it."),
        ({"key": "Premium"}, "A slug is 2 to 41 lowercase letters"),
        ({"key": "new"}, "A slug is 2 to 41 lowercase letters"),
        ({"name": "保険"}, "A slug is 2 to 41 lowercase letters"),
        ({"area": "9"}, "Choose one of the answers."),
        ({"practices": ["none", "a"]}, "Choose the practices, or none of them."),
        ({"contact": ["none", "talks"]}, "or “none” alone"),
        ({"regions": ["mars"]}, "Choose the answers that apply"),
    ],
)
def test_bad_input_is_refused_beside_its_field(as_contributor, given, sentence):
    page = as_contributor.post("intake/new", then=422, once=str(uuid4()), **form(**given))
    assert sentence in page.text


def test_only_members_who_may_propose_do_and_other_tenants_see_nothing(
    as_contributor, as_viewer, as_auditor, as_officer, as_neighbour, as_stranger
):
    for visitor in (as_viewer, as_auditor):
        visitor.get("intake/new", then=403)
        visitor.post("intake/new", then=403, **form())
    made = propose(as_contributor)
    as_officer.post(f"intake/{made}/edit", then=403, seen="1", **form(users="Brokers"))
    as_neighbour.get(f"intake/{made}", then=404)
    as_neighbour.post(f"intake/{made}/classes", then=404, seen="1", **CLASSES)
    as_neighbour.post(f"intake/{made}/edit", then=404, seen="1", **form())
    as_stranger.get(f"intake/{made}", then=404)
    assert "Premium advisor" not in as_neighbour.get("intake/").text


def test_the_queue_filters_and_reads(as_contributor, as_officer):
    propose(as_contributor)
    propose(as_contributor, name="Spam filter", area="none", decides="no", data_used=["none"])
    text = main_text(as_officer.get("intake/"))
    assert "2 proposals in review" in text
    assert "Spam filter" not in main_text(as_officer.get("intake/?eu_class=high_risk"))
    assert "Spam filter" in main_text(as_officer.get("intake/?q=spam&state=in_review"))


def test_the_form_asks_for_the_role_and_the_page_shows_whose_duties_are_whose(
    as_contributor, as_officer
):
    lacking = propose(as_contributor, role=None)
    assert row(lacking)[3] == 1
    made = propose(as_contributor, name="Deployed advisor", role="deployer")
    text = main_text(as_officer.get(f"intake/{made}"))
    ours, _, theirs = text.partition("Your duties")[2].partition("Ask your vendor")
    assert "Use it as instructed" in ours and "Technical file with the points of Annex IV" in theirs
    assert "Technical file" not in ours and "2 December 2027, in " in ours
    assert "Confirm with counsel" in ours
    assert "as amended by Regulation (EU) 2026/1744" in text
    approval = main_text(as_officer.get(approval_of(as_officer, made)))
    assert "Use it as instructed" in approval and "Technical file" not in approval


def test_safeguards_without_proof_keep_it_from_being_approved(
    as_contributor, as_officer, as_reviewer
):
    made = propose(as_contributor, contact=["creates"], safeguards="untested")
    text = main_text(as_officer.get(f"intake/{made}"))
    assert "Not decided: show that safeguards hold" in text
    assert "without an answer" not in text
    address = approval_of(as_officer, made)
    decide(as_officer, address, then=422)
    assert row(made)[0] == "in_review"
    seen = seen_in(as_reviewer.get(f"intake/{made}/classes"))
    classes = {"eu_class": "high_risk", "risk_class": "high_risk"}
    as_reviewer.post(f"intake/{made}/classes", then=422, seen=seen, reason="", **classes)
    as_reviewer.post(
        f"intake/{made}/classes", seen=seen, reason="Run 12: none of 400 prompts.", **classes
    )
    assert "Not decided" not in main_text(as_officer.get(f"intake/{made}"))
    decide(as_officer, address)
    assert row(made)[0] == "approved"


def test_a_system_that_creates_nothing_is_not_asked_about_safeguards(as_contributor):
    made = propose(as_contributor, contact=["creates"])
    assert row(made)[3] == 1
    assert row(propose(as_contributor, name="Silent"))[3] == 0


def test_a_practice_with_none_of_them_is_refused(as_contributor):
    sent = form(practices=["ba", "none"])
    reply = as_contributor.post("intake/new", once=str(uuid4()), then=422, **sent)
    assert "Choose the practices, or none of them." in main_text(reply)


def test_a_proposal_of_the_former_law_is_answered_again(as_contributor, as_officer, acting):
    made = propose(as_contributor, practices=["a"], role=None)
    with acting("compliance_officer"):
        old = queries.proposal(made)
        old.law_version, old.open_questions = law.ORIGINAL, 0
        old.eu_class = "high_risk"
    text = main_text(as_officer.get(f"intake/{made}"))
    assert "Manipulate people, or exploit an age, a disability or hardship" in text
    assert "It was answered under the law of 2024" in text
    page = as_contributor.get(f"intake/{made}/edit")
    assert "Answered under the law of 2024" in main_text(page)
    as_contributor.post(f"intake/{made}/edit", seen=seen_in(page), **form())
    assert row(made) == ("in_review", "high_risk", "high_risk", 0)
    decide(as_officer, approval_of(as_officer, made))
    assert row(made)[0] == "approved"
