"""Playbooks through the front door: write, run as a drill, skip, finish, retire."""

import re

import pytest
from sqlalchemy import select

from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests.operations.switches import switch_helpers


def fields(**more):
    return {
        "title": "Ungrounded output",
        "used_for": "Answers cite sources that don't exist.",
        "step-1-title": "Find the affected decisions",
        "step-1-does": "instruction",
        "step-2-title": "Tell the leads",
        "step-2-does": "notify:leads",
        "step-3-title": "",
        "step-3-does": "instruction",
        "drill_every_days": "91",
        "owner_id": "",
        **more,
    }


def create(who, **more):
    return who.post("reliability/playbooks/new", then=303, **fields(**more)).location


def test_before_the_first_playbook_the_page_says_what_it_is_for(as_officer, as_viewer):
    assert "No playbooks yet" in as_officer.get("reliability/playbooks/").text
    assert "New playbook" not in as_viewer.get("reliability/playbooks/").text


def test_a_playbook_is_written_and_drilled(as_officer, as_contributor):
    path = create(as_officer)
    text = as_contributor.get(path).text
    assert "2 steps, 1 in one click" in text and "Edit playbook" not in text
    run = as_contributor.post(f"{path}/drills", then=303).location
    assert "A drill changes nothing" in as_contributor.get(run).text
    as_contributor.post(f"{run}/steps/1", then=303, verb="done", note="231 approvals")
    assert "Enter why you skip" in as_contributor.post(f"{run}/steps/2", then=422, verb="skip").text
    as_contributor.post(f"{run}/steps/2", then=303, verb="skip", note="rehearsed last week")
    assert "1 of 2 steps done, 1 skipped" in as_contributor.get(run).text
    as_contributor.post(f"{run}/end", then=303, summary="Went well.")
    text = as_contributor.get(run).text
    assert "Finished" in text and re.search(r"EV-\d+ version 1", text)
    assert "Nobody" not in text


def test_a_wrong_step_is_named_and_what_was_typed_stays(as_officer):
    answer = as_officer.post(
        "reliability/playbooks/new",
        then=422,
        **fields(**{"step-2-does": "link", "step-2-link": "ftp://x.example"}),
    )
    assert "Step 2: enter a link" in answer.text and "ftp://x.example" in answer.text


def test_an_edit_without_a_reason_for_other_steps_is_refused(as_officer):
    path = create(as_officer)
    seen = re.search(r'name="seen"[^>]*value="(\w+)"', as_officer.get(f"{path}/edit").text)[1]
    changed = fields(seen=seen, **{"step-1-title": "Stop first"})
    assert "what changed and why" in as_officer.post(f"{path}/edit", then=422, **changed).text
    as_officer.post(f"{path}/edit", then=303, reason="Stopping comes first.", **changed)
    assert "version 2" in as_officer.get(path).text
    again = as_officer.post(f"{path}/edit", then=409, reason="x", **changed)
    assert "Someone else changed Ungrounded output" in again.text


def test_who_may_not_write_may_not_write(as_contributor, as_viewer, as_officer):
    path = create(as_officer)
    as_contributor.post("reliability/playbooks/new", then=403, **fields())
    as_viewer.post(f"{path}/drills", then=403)
    as_officer.post(f"{path}/retire", then=303, reason="Replaced.")
    assert "was retired" in as_contributor.post(f"{path}/drills", then=409).text


def test_the_list_exports_what_it_shows(as_officer):
    create(as_officer)
    assert "Ungrounded output" in as_officer.get("reliability/playbooks/export.csv?q=unground").text
    assert "Ungrounded" not in as_officer.get("reliability/playbooks/export.csv?q=other").text


@pytest.mark.parametrize(
    "does", ["stop:their-bot", "stop:", "stop:" + "x" * 5000, "tighten:nothing", "notify:all", "x"]
)
def test_a_step_names_only_what_the_tenant_has(as_officer, does):
    """Offer only the tenant's own systems; `their-bot` belongs to another one."""
    switch_helpers.register_system("their-bot", slug="globex")
    sent = fields(**{"step-2-does": does})
    text = as_officer.post("reliability/playbooks/new", then=422, **sent).text
    assert "Step 2: choose" in text
    assert "No playbooks yet" in as_officer.get("reliability/playbooks/").text


def test_a_step_that_was_there_stays_once_its_system_is_retired(as_officer, acting):
    system_id = switch_helpers.register_system("claims-triage")
    stop = {"step-2-does": "stop:claims-triage"}
    path = create(as_officer, **stop)
    with acting("admin"):
        found = session().scalars(select(AISystem).filter_by(id=system_id)).one()
        systems.retire(found, reason="Replaced.")
    seen = re.search(r'name="seen"[^>]*value="(\w+)"', as_officer.get(f"{path}/edit").text)[1]
    changed = fields(seen=seen, **stop, **{"step-1-title": "Ask first"})
    as_officer.post(f"{path}/edit", then=303, reason="Asking comes first.", **changed)
