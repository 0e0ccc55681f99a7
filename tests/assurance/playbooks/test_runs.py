"""Runs record who did which step when, and what was skipped and why; then they become evidence."""

from uuid import uuid4

import pytest

from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.playbooks import actions, queries, run_actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden, Invalid, NotFound, Stale
from governance.kernel.files.storage import store
from governance.operations.policies import queries as policies
from governance.operations.switches.models import Stop
from governance.operations.systems import actions as systems
from tests import make

LOOK = PlaybookStep("Find the affected decisions", "Filter by release.")
STOP = PlaybookStep("Stop the feature", kind="stop", target="claims-triage/auto-approve")
TIGHTEN = PlaybookStep("Tighten the policy", kind="tighten", target="strict")
NOTIFY = PlaybookStep("Tell the leads", kind="notify", target="leads")


@pytest.fixture
def claims_triage(database):
    with make.acting("admin"):
        found = systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="x",
            owner_id=None,
        )
        systems.add_feature(found, key="auto-approve", fallback="An adjuster decides.")


def create_playbook(*steps, by="compliance_officer", tenant="acme"):
    with make.acting(by, tenant):
        return actions.create(
            title="Ungrounded output", used_for="Answers cite missing sources.", steps=steps
        ).id


def start(playbook_id, by="contributor", **facts):
    with make.acting(by):
        version = queries.present_version(queries.playbook(playbook_id))
        return run_actions.start_run(version.id, **(facts or {"is_drill": True})).id


def do(run_id, number, by="contributor", note=""):
    with make.acting(by):
        return run_actions.do_step(queries.run(run_id, lock=True), number, note=note).effect


def in_incident():
    return {"incident_id": uuid4(), "incident_ref": "INC-34"}


def test_a_step_acts_with_the_permission_of_the_person_who_runs_it(claims_triage):
    run_id = start(create_playbook(STOP, TIGHTEN), **in_incident())
    assert do(run_id, 1) == "auto-approve stopped"
    with pytest.raises(Forbidden, match="can't draft and tighten the policy"):
        do(run_id, 2)  # A contributor may stop features but not change the policy.
    with make.acting("admin"):
        assert session().query(Stop).one().reason == "INC-34: Stop the feature"
        assert queries.progress(queries.run(run_id)).next.number == 2
    assert do(run_id, 2, by="admin").startswith("policy version 1: Strict")
    with make.acting("admin"):
        assert policies.current_policy().content.tier == "strict"


def test_a_step_done_twice_acts_once(claims_triage):
    run_id = start(create_playbook(NOTIFY), **in_incident())
    assert do(run_id, 1) == do(run_id, 1) == "3 people notified"


def test_a_drill_changes_nothing(claims_triage):
    run_id = start(create_playbook(STOP, TIGHTEN, LOOK))
    assert do(run_id, 1) == do(run_id, 2) == "drill: nothing was changed"
    with make.acting("admin"):
        assert session().query(Stop).count() == 0 and policies.current_policy().number == 0


def test_a_skipped_step_keeps_its_reason_and_can_be_done_later(database):
    run_id = start(create_playbook(LOOK, PlaybookStep("Notify the reinsurer")))
    with make.acting("contributor"):
        of = queries.run(run_id, lock=True)
        with pytest.raises(Invalid, match="why you skip"):
            run_actions.skip_step(of, 2, reason=" ")
        run_actions.skip_step(of, 2, reason="no payment made")
        assert queries.progress(of).skipped == 1
        run_actions.do_step(of, 2)
        assert (queries.progress(of).done, queries.progress(of).skipped) == (1, 0)
        with pytest.raises(Stale, match="can't be skipped"):
            run_actions.skip_step(of, 2, reason="again")


def test_a_run_keeps_the_version_it_started_with(database):
    playbook_id = create_playbook(LOOK)
    run_id = start(playbook_id)
    with make.acting("compliance_officer"):
        book = queries.playbook(playbook_id, lock=True)
        actions.edit(
            book,
            seen=actions.revision(book),
            title=book.title,
            used_for=book.used_for,
            steps=[LOOK, NOTIFY],
            owner_id=None,
            drill_every_days=91,
            reason="Leads heard of it too late.",
        )
        found = queries.progress(queries.run(run_id))
        assert (len(found.steps), found.is_outdated, book.version) == (1, True, 2)
        with pytest.raises(Stale, match="changed to version 2"):
            run_actions.start_run(found.version.id, is_drill=True)


def test_of_two_people_who_edit_the_second_is_asked_to_review(database):
    playbook_id = create_playbook(LOOK)
    with make.acting("compliance_officer"):
        book = queries.playbook(playbook_id, lock=True)
        seen = actions.revision(book)
        facts = {"used_for": "x", "steps": [LOOK], "owner_id": None, "drill_every_days": None}
        actions.edit(book, seen=seen, title="First", **facts)
        with pytest.raises(Stale, match="Someone else changed First"):
            actions.edit(book, seen=seen, title="Second", **facts)


def test_a_finished_run_is_evidence_without_names(database):
    run_id = start(create_playbook(LOOK, PlaybookStep("Draft the update")))
    do(run_id, 1, note="Anna Rossi found 231 approvals.")
    with make.acting("contributor"):
        of = queries.run(run_id, lock=True)
        with pytest.raises(Invalid, match="1 step is open"):
            run_actions.end_run(of)
        run_actions.skip_step(of, 2, reason="nobody was affected")
        run_actions.end_run(of, summary="Went well.")
        run_actions.end_run(of)
        version = session().query(EvidenceVersion).one()
        item = session().query(Evidence).one()
        assert (item.title, of.evidence_version_id) == (
            "Playbook runs: Ungrounded output",
            version.id,
        )
        with store().open(version.storage_key) as file:
            text = file.read().decode()
    assert "Find the affected decisions,done" in text and "Rossi" not in text


def test_a_run_of_skipped_steps_proves_nothing(database):
    run_id = start(create_playbook(LOOK))
    with make.acting("contributor"):
        of = queries.run(run_id, lock=True)
        run_actions.skip_step(of, 1, reason="false alarm")
        with pytest.raises(Invalid, match="proves nothing"):
            run_actions.end_run(of)


def test_a_second_click_returns_the_run_of_the_first(database):
    playbook_id = create_playbook(LOOK)
    assert start(playbook_id) == start(playbook_id)


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (PlaybookStep(""), "Step 1: enter a title"),
        (PlaybookStep("x" * 121), "shorten the title"),
        (PlaybookStep("Open", kind="link", target="javascript:alert(1)"), "https://"),
        (PlaybookStep("Open", kind="link", target="//evil.example"), "https://"),
        (PlaybookStep("Tell", kind="notify", target="the world"), "who is notified"),
        (PlaybookStep("Do", kind="delete"), "what it does"),
    ],
)
def test_a_wrong_step_is_named(database, step, problem):
    with make.acting("compliance_officer"), pytest.raises(Invalid, match=problem):
        actions.create(title="T", used_for="x", steps=[step])


def test_another_tenant_finds_nothing(database):
    run_id = start(create_playbook(LOOK))
    with make.acting("admin", "globex"), pytest.raises(NotFound):
        queries.run(run_id)
    with make.acting("admin", "globex"):
        assert queries.count_playbooks() == 0
