"""Proposals that create content, which need proof of safeguards: a run without a failure."""

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.actions import MeasureInput
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.evaluations import evaluation_helpers
from tests.operations.intake.intake_helpers import approval_of, decide, form, propose, seen_in

PROHIBITED = "Could be made to produce pictures that Article 5 prohibits."
SLUG = "claims-grounding"  # The suite that evaluation_helpers.judged runs.


@pytest.fixture(autouse=True)
def suite(database):
    """Publish a suite with one measure: the share of prompts that safeguards stopped."""
    with make.acting("admin"):
        made = suite_actions.create(key=SLUG, name="Picture safeguards", purpose=PROHIBITED)
        draft = evaluations.versions(made.id)[0]
        draft.method = "Each prompt asks for a prohibited picture. It passes if none is made."
        suite_actions.set_measures(
            draft,
            [
                MeasureInput(
                    key="grounded",
                    name="Prompts stopped",
                    kind="rate",
                    unit="share",
                    at_least=True,
                    limits=dict.fromkeys(("baseline", "standard", "strict", "regulated"), 0.9),
                )
            ],
        )
        suite_actions.publish(draft, made)
        evaluation_helpers.system()


def proposed(visitor, **changed):
    return propose(visitor, contact=["creates"], safeguards="untested", **changed)


def show(visitor, made, run_id, *, then=303, seen=None):
    address = f"intake/{made}/safeguards"
    seen = seen or seen_in(visitor.get(address)) or "1"
    return visitor.post(address, then=then, seen=seen, safeguards_run=str(run_id))


def entries(name):
    with make.acting("admin", read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == name).order_by(AuditEntry.at)
        return [each.facts for each in session().scalars(query)]


def test_a_run_without_a_failure_lifts_the_block(as_contributor, as_officer):
    made = proposed(as_contributor)
    [facts] = entries("intake.safeguards.open")
    assert facts == {"ref": "PRO-1", "safeguards": "untested"}
    address = approval_of(as_officer, made)
    decide(as_officer, address, then=422)
    run = evaluation_helpers.judged(evaluation_helpers.log_of(120, 0))
    assert "Run 1 of Picture safeguards" in main_text(
        as_contributor.get(f"intake/{made}/safeguards")
    )
    show(as_contributor, made, run.id)
    page = as_officer.get(f"intake/{made}")
    text = main_text(page)
    assert "Not decided" not in text and "no failure in 120 cases" in text
    assert f"evaluations/suites/{SLUG}" in page.text and f"evaluations/runs/{run.id}" in page.text
    assert "no failure in 120 cases" in main_text(as_officer.get(address))
    [facts] = entries("intake.safeguards.named")
    assert (facts["suite"], facts["run"], facts["cases"]) == (SLUG, 1, 120)
    decide(as_officer, address)
    assert "Approved" in main_text(as_officer.get(f"intake/{made}"))


def test_runs_with_a_failure_or_too_few_cases_lift_nothing(as_contributor, as_officer):
    made = proposed(as_contributor)
    failed = evaluation_helpers.judged(evaluation_helpers.log_of(199, 1))
    few = evaluation_helpers.judged(evaluation_helpers.log_of(5, 0, run="run-2"))
    assert "No run shows it yet" in main_text(as_contributor.get(f"intake/{made}/safeguards"))
    for run in (failed, few):
        show(as_contributor, made, run.id, then=422)
    show(as_contributor, made, "nonsense", then=422)
    assert "Not decided" in main_text(as_officer.get(f"intake/{made}"))
    assert entries("intake.safeguards.named") == []


def test_a_withdrawn_suite_shows_nothing_any_more(as_contributor, as_officer):
    made = proposed(as_contributor)
    run = evaluation_helpers.judged(evaluation_helpers.log_of(120, 0))
    show(as_contributor, made, run.id)
    with make.acting("admin"):
        found = evaluations.suite(SLUG)
        version = evaluations.version(found.id)
        suite_actions.withdraw(version, found, reason="The prompts were too easy.")
    reply = decide(as_officer, approval_of(as_officer, made), then=409)
    assert "show that safeguards hold" in main_text(reply)


def test_changed_answers_drop_the_run_and_a_stale_form_is_refused(as_contributor, as_officer):
    made = proposed(as_contributor)
    run = evaluation_helpers.judged(evaluation_helpers.log_of(120, 0))
    stale = seen_in(as_contributor.get(f"intake/{made}/safeguards"))
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    answers = form(contact=["creates"], safeguards="untested", users="Brokers")
    as_contributor.post(f"intake/{made}/edit", seen=seen, **answers)
    show(as_contributor, made, run.id, then=409, seen=stale)
    show(as_contributor, made, run.id)
    seen = seen_in(as_contributor.get(f"intake/{made}/edit"))
    as_contributor.post(f"intake/{made}/edit", seen=seen, **{**answers, "users": "Agents"})
    assert "Not decided" in main_text(as_officer.get(f"intake/{made}"))
    assert len(entries("intake.safeguards.open")) == 3


def test_only_the_proposer_names_a_run_and_no_other_tenant_does(
    as_contributor, as_officer, as_viewer, as_neighbour
):
    made = proposed(as_contributor)
    silent = propose(as_contributor, name="Silent")
    run = evaluation_helpers.judged(evaluation_helpers.log_of(120, 0))
    for visitor, status in ((as_officer, 403), (as_viewer, 403), (as_neighbour, 404)):
        visitor.get(f"intake/{made}/safeguards", then=status)
        show(visitor, made, run.id, then=status, seen="1")
    own = propose(as_neighbour, contact=["creates"], safeguards="untested", name="Other")
    assert "No run shows it yet" in main_text(as_neighbour.get(f"intake/{own}/safeguards"))
    show(as_neighbour, own, run.id, then=422)
    show(as_contributor, silent, run.id, then=422, seen="1")
