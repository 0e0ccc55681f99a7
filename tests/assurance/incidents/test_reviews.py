"""The review, its actions in the inbox, closing, and the evidence that a closed review becomes."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.incidents import (
    clock_actions,
    impact_actions,
    queries,
    review_actions,
    review_evidence,
)
from governance.assurance.incidents.statutory_rules import regimes
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, NotFound
from tests import make
from tests.assurance.incidents import incident_helpers as incidents

TEXTS = {name: f"Text of {name}" for name in review_actions.PARTS}


def resolved(**more):
    found = incidents.declare(**more)
    incidents.advance(found, "identified", "monitoring", "resolved")
    return found


def decide_all(incident_id) -> None:
    with make.acting("compliance_officer"):
        for law in regimes():
            clock_actions.classify(
                queries.incident(incident_id), law.key, applies=False, reason="out of scope"
            )


def write(incident_id) -> None:
    with make.acting("reviewer"):
        review_actions.edit_review(queries.incident(incident_id), version=0, **TEXTS)


def test_closing_names_everything_that_is_missing(database, acting):
    system = incidents.register_system()
    found = incidents.declare(systems=[system])
    with acting("compliance_officer"):
        each = queries.incident(found)
        with pytest.raises(DomainError) as refused:
            review_actions.close(each)
        for sentence in (
            "not resolved yet",
            "The review lacks",
            "4 statutory clocks are open",
            "An impact window has no end",
        ):
            assert sentence in refused.value.message


def test_an_incident_with_an_open_clock_is_not_closed(database, acting, as_officer):
    found = resolved()
    write(found)
    decide_all(found)
    with acting("compliance_officer"):
        clock_actions.classify(queries.incident(found), "gdpr", applies=True)
        assert review_actions.why_not_close(queries.incident(found)) == [
            "1 statutory clock is open: GDPR, Art. 33."
        ]
    as_officer.post(f"incidents/{found}/close", then=409)
    with acting("compliance_officer"):
        clock_actions.record_notice(
            queries.incident(found),
            "gdpr",
            "notification",
            sent_at=clock.now(),
            recipient="LfDI",
        )
    as_officer.post(f"incidents/{found}/close")
    as_officer.post(f"incidents/{found}/close")  # A second click.
    page = as_officer.get(f"incidents/{found}").text
    assert "Open the review" in page


def test_a_closed_review_becomes_evidence_once_and_names_nobody(database, acting):
    found = resolved()
    write(found)
    decide_all(found)
    with acting("compliance_officer"):
        assert review_evidence.file_now(found) is None  # Not closed yet.
        review_actions.close(queries.incident(found))
        version = review_evidence.file_now(found)
        assert version is not None
        assert version.filename == "review-INC-1.txt"
        assert version.source == "incident"
        assert review_evidence.file_now(found) is None
        assert len(session().scalars(select(EvidenceVersion)).all()) == 1
        each, written = queries.incident(found), queries.review(found)
        text = review_evidence.review_text(each, written, [])
        assert "Text of factors" in text
        assert "Jun Chen" not in text
        with pytest.raises(DomainError, match="closed"):
            review_actions.edit_review(each, version=1, **TEXTS)


def test_a_contributor_does_not_close(database, acting):
    found = resolved()
    with acting("contributor"), pytest.raises(Forbidden):
        review_actions.close(queries.incident(found))


def test_two_people_writing_one_review_see_each_other(database, as_reviewer, as_officer):
    found = resolved()
    as_reviewer.post(f"incidents/{found}/review", version="0", **TEXTS)
    refused = as_officer.post(
        f"incidents/{found}/review", then=409, version="0", **(TEXTS | {"impact": "Mine"})
    )
    assert "Mine" in refused.text
    assert "Text of impact" in refused.text


def test_actions_stay_in_the_inbox_until_they_are_done(
    database, acting, as_reviewer, as_contributor, as_neighbour
):
    found = resolved()
    owner = str(make.person_id("contributor"))
    due = (clock.today() + timedelta(days=7)).isoformat()
    as_reviewer.post(
        f"incidents/{found}/actions", title="Reject flawed data", owner_id=owner, due_on=due
    )
    late = (clock.today() - timedelta(days=1)).isoformat()
    as_reviewer.post(
        f"incidents/{found}/actions", then=422, title="Late", owner_id=owner, due_on=late
    )
    assert "Reject flawed data" in as_contributor.get("inbox/").text
    with acting("reviewer"):
        (action,) = queries.follow_ups(found)
        action_id = action.id
    done = f"incidents/{found}/actions/{action_id}/done"
    as_neighbour.post(done, then=404)
    as_contributor.post(done)
    as_contributor.post(done)
    assert "Complete" not in as_contributor.get("inbox/").text
    with acting("reviewer"):
        other = incidents.declare("Another")
        with pytest.raises(NotFound):
            review_actions.follow_up_of(queries.incident(other), action_id)


def test_an_open_action_gets_another_owner_and_a_done_one_keeps_its_own(
    as_reviewer, as_contributor, as_neighbour, acting
):
    found = resolved()
    due = (clock.today() + timedelta(days=7)).isoformat()
    owner, other = str(make.person_id("reviewer")), str(make.person_id("contributor"))
    as_reviewer.post(f"incidents/{found}/actions", title="Reject it", owner_id=owner, due_on=due)
    with acting("reviewer"):
        action_id = queries.follow_ups(found)[0].id
    edit = f"incidents/{found}/actions/{action_id}/edit"
    assert edit in as_reviewer.get(f"incidents/{found}/review").text
    assert "Reject it" not in as_contributor.get("inbox/").text
    as_reviewer.post(edit, then=422, owner_id=other, due_on="never")
    assert "Reject it" in as_reviewer.get(edit).text
    as_neighbour.post(edit, then=404, owner_id=other, due_on=due)
    as_contributor.post(edit, then=403, owner_id=other, due_on=due)
    as_reviewer.post(edit, owner_id=other, due_on=due)
    assert "Reject it" in as_contributor.get("inbox/").text
    as_contributor.post(f"incidents/{found}/actions/{action_id}/done")
    as_reviewer.post(edit, then=422, owner_id=owner, due_on=due)
    with acting("reviewer"):
        assert queries.follow_ups(found)[0].owner_id == make.person_id("contributor")


def test_a_closed_incident_is_not_changed(database, acting):
    system = incidents.register_system()
    found = resolved()
    write(found)
    decide_all(found)
    with acting("compliance_officer"):
        each = queries.incident(found)
        review_actions.close(each)
        with pytest.raises(DomainError, match="closed"):
            impact_actions.add_window(each, system, starts_at=clock.now())
