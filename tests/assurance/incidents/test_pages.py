"""Pages of incidents: the list, one incident, declaring by form, notes, states and roles."""

import re

from governance.assurance.frameworks import queries as frameworks
from governance.assurance.incidents import queries, suggestions
from governance.kernel import clock
from governance.operations.switches import actions as switches
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.incidents import incident_helpers as incidents
from tests.conftest import visitor
from tests.operations.switches import switch_helpers


def test_every_page_opens_and_reads_plainly(database, acting, as_officer):
    system = incidents.register_system()
    found = incidents.declare(systems=[system], summary="Approvals cited clause 14.3.")
    for path in (
        "incidents/",
        "incidents/new",
        f"incidents/{found}",
        f"incidents/{found}?show=notes",
        f"incidents/{found}/edit",
        f"incidents/{found}/roles",
        f"incidents/{found}/state",
        f"incidents/{found}/impact",
        f"incidents/{found}/pause",
        f"incidents/{found}/review",
        f"incidents/{found}/laws/ai-act",
        f"incidents/{found}/laws/nis2/warning",
        "incidents/settings",
        "incidents/charts",
    ):
        assert as_officer.get(path).status_code == 200, path
    assert "1 of 1 incident not closed" in as_officer.get("incidents/").text
    page = as_officer.get(f"incidents/{found}").text
    assert "INC-1" in page
    assert "Approvals cited a withdrawn clause" in page
    assert "declared the incident" in page
    assert "EU AI Act, Art. 73" in page


def test_an_incident_is_declared_by_a_form(database, as_contributor, acting):
    system = incidents.register_system()
    answer = as_contributor.post(
        "incidents/new", title="Wrong answers", severity="1", systems=[str(system)], summary="Bad."
    )
    with acting("admin"):
        (made,) = queries.open_incidents()
        assert answer.headers["Location"].endswith(f"/incidents/{made.id}")
        assert made.severity == 1
        assert made.lead_id == made.declared_by
    refused = as_contributor.post("incidents/new", then=422, title=" ", severity="9")
    assert refused.status_code == 422
    assert "Not declared." in refused.text


def test_others_and_other_tenants_are_kept_out(database, as_viewer, as_stranger, as_neighbour):
    found = incidents.declare()
    assert as_viewer.get(f"incidents/{found}").status_code == 200
    assert as_viewer.post("incidents/new", then=403, title="Mine", severity="2").status_code == 403
    assert as_viewer.post(f"incidents/{found}/notes", then=403, text="Hi").status_code == 403
    assert as_stranger.get(f"incidents/{found}", then=404).status_code == 404
    assert as_neighbour.get(f"incidents/{found}", then=404).status_code == 404
    assert "No incidents yet" in as_neighbour.get("incidents/").text


def test_a_stop_is_declared_with_one_click_and_a_double_click_makes_one(
    database, acting, as_contributor
):
    incidents.register_system()
    with acting("admin"):
        stopped = switches.stop("feature", *switch_helpers.find_feature(), reason="Wrong").id
    page = as_contributor.get(f"incidents/suggestions/{stopped}").text
    assert "Declare incident from this stop" in page
    assert "Declare an incident from the stop of claims-triage" in as_contributor.get("inbox/").text
    answers = [as_contributor.post(f"incidents/suggestions/{stopped}") for _ in range(2)]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    with acting("admin"):
        assert queries.count_open() == 1
    assert "Declare an incident from the stop" not in as_contributor.get("inbox/").text


def test_notes_are_framed_and_automatic_entries_keep_their_source(
    database, acting, as_contributor, as_officer
):
    found = incidents.declare()
    as_contributor.post(f"incidents/{found}/notes", text="An adjuster reports a clause.")
    with acting("admin"):
        stopped = switches.stop("tenant", None, None, reason="Wrong clauses")
        assert queries.suggestion(stopped.id) is not None
    page = as_officer.get(f"incidents/{found}").text
    assert re.search(r'<li class="note">.*An adjuster reports a clause', page, re.DOTALL)
    assert "stopped every AI system in the tenant" in page
    assert "/audit/entries/" in page
    only = as_officer.get(f"incidents/{found}?show=notes").text
    assert "An adjuster reports a clause" in only
    assert "stopped every AI system" not in only
    assert as_contributor.post(f"incidents/{found}/notes", then=422, text=" ").status_code == 422


def test_states_go_forward_by_the_page_and_a_jump_is_refused(database, as_reviewer):
    found = incidents.declare()
    assert "Mark identified…" in as_reviewer.get(f"incidents/{found}").text
    jump = as_reviewer.post(f"incidents/{found}/state", then=422, state="resolved")
    assert (jump.status_code, "can't be" in jump.text or "can&#39;t be" in jump.text) == (422, True)
    assert as_reviewer.post(f"incidents/{found}/state", state="identified").status_code == 303
    back = as_reviewer.post(f"incidents/{found}/state", then=422, state="investigating")
    assert back.status_code == 422
    again = as_reviewer.post(
        f"incidents/{found}/state", state="investigating", reason="Another cause"
    )
    assert again.status_code == 303


def test_two_people_changing_an_incident_see_each_other(database, as_reviewer, as_officer):
    found = incidents.declare()
    first = as_reviewer.post(
        f"incidents/{found}/edit", version="1", title="One", severity="2", summary=""
    )
    second = as_officer.post(
        f"incidents/{found}/edit", then=409, version="1", title="Two", severity="2", summary=""
    )
    assert (first.status_code, second.status_code) == (303, 409)


def test_the_list_filters_exports(database, acting, as_officer):
    system = incidents.register_system()
    for n in range(5):
        incidents.declare(f"Incident {n}", systems=[system], severity=n % 4 + 1)
    as_officer.get("incidents/")
    assert "Incident 3" not in as_officer.get("incidents/?severity=1").text
    assert "Incident 0" in as_officer.get("incidents/?severity=1").text
    file = as_officer.get("incidents/export.csv?severity=1")
    assert file.text.count("\n") == 3  # The header, Incident 0 and Incident 4.


def test_roles_and_impact_are_changed_on_their_pages(database, acting, as_reviewer):
    system, found = incidents.register_system(), incidents.declare()
    person = str(make.person_id("contributor"))
    answer = as_reviewer.post(f"incidents/{found}/roles", version="1", scribe_id=person)
    assert answer.status_code == 303
    assert "Anna Rossi" in as_reviewer.get(f"incidents/{found}").text
    now = f"{clock.now():%Y-%m-%dT00:00}"
    assert (
        as_reviewer.post(
            f"incidents/{found}/impact", system_id=str(system), starts_at="2026-01-01T09:00"
        ).status_code
        == 303
    )
    backwards = as_reviewer.post(
        f"incidents/{found}/impact",
        then=422,
        system_id=str(system),
        starts_at=now,
        ends_at="2026-01-01T09:00",
    )
    assert backwards.status_code == 422
    for _ in range(2):
        as_reviewer.post(f"incidents/{found}/figures", figure="231 of 318", meaning="approvals")
    assert "231 of 318" in as_reviewer.get(f"incidents/{found}").text


def test_a_dismissed_suggestion_leaves_the_inbox(database, acting, as_contributor):
    incidents.register_system()
    with acting("admin"):
        stopped = switches.stop("feature", *switch_helpers.find_feature(), reason="Planned").id
    assert (
        as_contributor.post(
            f"incidents/suggestions/{stopped}/dismiss", then=422, reason=""
        ).status_code
        == 422
    )
    as_contributor.post(f"incidents/suggestions/{stopped}/dismiss", reason="Planned work")
    assert "from the stop" not in as_contributor.get("inbox/").text
    with acting("admin"):
        assert suggestions.queries.suggestion(stopped).reason == "Planned work"


def test_an_auditor_with_a_limited_scope_has_none_of_the_pages(app, database, acting):
    found, full = incidents.declare(), visitor(app, "auditor")
    reliability = (
        "reliability/",
        "reliability/objectives/export.csv",
        "reliability/objectives/openslo.yaml",
        "reliability/statements/",
    )
    for path in (f"incidents/{found}", *reliability):
        full.get(path)
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017").id
    engagement_helpers.create_engagement(auditor="auditor", framework_id=soc2, criteria=["CC7"])
    limited = visitor(app, "auditor")
    for path in ("incidents/", "incidents/charts", "incidents/export.csv", f"incidents/{found}"):
        limited.get(path, then=404)
    for path in reliability:
        limited.get(path, then=404)


def test_an_incident_has_three_figures_at_most_and_a_second_click_adds_none(as_reviewer):
    path = f"incidents/{incidents.declare()}/figures"
    for figure in ("231", "231", "12", "5"):
        as_reviewer.post(path, figure=figure, meaning="letters")
    refused = as_reviewer.post(path, then=422, figure="9", meaning="letters")
    assert "An incident has 3 figures at most. Remove one first." in refused.text


def test_a_form_that_is_sent_twice_declares_one_incident(as_officer):
    once = re.search(r'name="once"[^>]*value="([^"]+)"', as_officer.get("incidents/new").text)[1]
    form = {"title": "Slow answers", "severity": "2"}
    first, second = (as_officer.post("incidents/new", **form, once=once) for _ in range(2))
    assert first.location == second.location
    other = as_officer.post("incidents/new", **form)
    assert other.location != first.location


def test_a_title_is_one_printable_line_and_no_text_turns_its_direction(as_officer, database):
    """Reject direction marks, which would show "stopped" where "depp ots" is stored."""
    sent = {"severity": "2", "summary": "Line 1\r\nLine 2\u202e\x1b[31m\u200b"}
    path = as_officer.post(
        "incidents/new", title="Wrong\r\nanswers\u202e \x1b[31mred\u2066\ufeff", **sent
    ).location
    text = as_officer.get(path).text
    assert "Wrong answers [31mred" in text and "Line 1\nLine 2[31m" in text
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x1b]", text)
    refused = as_officer.post("incidents/new", then=422, title="\u200b\u202e", severity="2")
    assert "Enter a title" in refused.text
