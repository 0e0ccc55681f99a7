"""The pages of switches: who stops, who restarts, and what every page then shows."""

import re
from datetime import timedelta

import pytest

from governance.kernel import clock
from governance.operations.switches import actions
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import Visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    decide_approval,
    fingerprint_on_page,
    newest_approval_id,
    newest_approval_page,
)
from tests.operations.switches import switch_helpers

PAGE, STOP = "systems/claims-triage/switches", "systems/claims-triage/stop"
BOTH = {"generate": "y", "serve": "y"}


@pytest.fixture(autouse=True)
def claims_system(database):
    return switch_helpers.register_system()


def part(key="auto-approve", of="claims-triage"):
    with make.acting("admin", read_only=True):
        return str(switch_helpers.find_feature(key, of)[1].id)


def fingerprint_in_form(page):
    return re.search(r'name="seen" value="([0-9a-f]+)"', page.text)[1]


def visitor_needing_step_up(app, role="admin"):
    """Return a visitor who signed in ten minutes ago."""
    return Visitor(app, make.cookie(role, signed_in_ago=timedelta(minutes=10)), "acme")


# ---- stopping


def test_one_confirmed_click_stops_a_feature_and_the_page_says_who_obeys(as_contributor, as_viewer):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(
        key, ["frankfurt-worker-3"], at=switch_helpers.seconds_from_now(-60)
    )
    switch_helpers.note_answers(
        key, ["singapore-worker-2"], at=switch_helpers.seconds_from_now(-60), region="Singapore"
    )
    page = as_contributor.post(STOP, what=part(), reason=switch_helpers.REASON, follow=True, **BOTH)
    assert "Obeyed by 0 of 2 consumers" in main_text(page)
    [held] = switch_helpers.active_stops()
    switch_helpers.note_answers(
        key, ["frankfurt-worker-3"], at=held.created_at + timedelta(seconds=0.11)
    )
    switch_helpers.note_answers(
        key, ["singapore-worker-2"], at=held.created_at + timedelta(seconds=0.8), region="Singapore"
    )
    text = main_text(as_viewer.get(PAGE))
    assert "Obeyed by 2 of 2 consumers, slowest 0.8 s" in text and "by Anna Rossi" in text
    assert (
        "First consumer obeyed frankfurt-worker-3 +0.11 s" in text
        and "All 2 consumers obeyed last: singapore-worker-2 +0.80 s" in text
    )
    assert (
        "Instead of auto-approve a person does it" in text
        and "It stays stopped until someone restarts it." in text
    )


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"generate": None, "serve": None}, "generate"),
        ({"what": "nonsense"}, "what"),
        ({"what": ""}, "what"),
        ({"remind_at": "2020-01-01T10:00"}, "remind_at"),
        ({"remind_at": "soon"}, "remind_at"),
        ({"reason": "x" * 2001}, "reason"),
    ],
)
def test_what_stops_nothing_is_named_beside_its_field(as_admin, sent, field):
    page = as_admin.post(STOP, then=422, **{"what": part(), "reason": "x", **BOTH, **sent})
    assert (
        f'href="#{field}"' in page.text
        and "Not stopped." in page.text
        and switch_helpers.active_stops() == []
    )


def test_a_double_click_stops_once(as_admin):
    for _ in range(2):
        as_admin.post(STOP, what="all", reason="x", **BOTH)
    assert [s.scope for s in switch_helpers.active_stops()] == ["system"]


def test_the_dialogs_form_is_a_page_too(as_admin, as_viewer):
    assert 'data-open="stop"' in as_admin.get(PAGE).text
    page = as_admin.get(f"{STOP}?what={part('summarise')}")
    assert re.search(rf'value="{part("summarise")}"[^>]*checked', page.text)
    assert "Restarting needs a fresh sign-in and a second person." in main_text(page)
    assert "stop" not in [a["href"].rpartition("/")[2] for a in page_links(as_viewer.get(PAGE))]


def banner(page):
    """Return the banner's markup, or "" if there is none."""
    return page.text.partition('class="c-banner')[2].partition("</aside>")[0]


def page_links(reply):
    from bs4 import BeautifulSoup

    return BeautifulSoup(reply.text, "html.parser").find_all("a", href=True)


def test_everything_takes_the_tenants_name(as_admin, as_viewer):
    assert "Type Acme Insurance." in main_text(as_admin.get("switches/stop"))
    as_admin.post("switches/stop", then=422, reason="x", typed="acme", **BOTH)
    assert switch_helpers.active_stops() == []
    text = main_text(
        as_admin.post("switches/stop", reason="x", typed="acme  insurance", follow=True, **BOTH)
    )
    assert "everything is stopped" in text.casefold() and "with everything" in text
    assert "Everything" in banner(as_viewer.get("systems/"))


# ---- the banner on every page


def test_a_banner_and_a_number_on_every_page_of_the_tenant(as_viewer, as_auditor, as_neighbour):
    calm = as_viewer.get("controls/")
    assert "c-banner" not in calm.text and "1 stopped" not in calm.text
    held = switch_helpers.stop_feature()
    for path in ("", "controls/", "systems/claims-triage", "settings/"):
        page = as_viewer.get(path)
        assert (
            "claims-triage · auto-approve" in banner(page)
            and "by Sanjay Patel" in banner(page)
            and f"/{PAGE}" in banner(page)
        ), path
        assert "1 stopped" in page.text
    assert "Sanjay" not in banner(as_auditor.get("controls/"))
    assert "c-banner" not in as_neighbour.get("controls/").text
    assert str(held) in as_viewer.get(PAGE).text


def test_the_frame_costs_one_statement(as_viewer, isolated):
    from sqlalchemy import event

    for what in ("auto-approve", "summarise", None):
        switch_helpers.stop_feature(what)
    seen = []
    event.listen(
        isolated.engine, "before_cursor_execute", note := lambda *told: seen.append(told[2])
    )
    as_viewer.get("controls/")
    event.remove(isolated.engine, "before_cursor_execute", note)
    assert len([s for s in seen if "stops" in s]) == 1


def test_a_stranger_costs_the_frame_nothing(client, isolated):
    from sqlalchemy import event

    seen = []
    event.listen(
        isolated.engine, "before_cursor_execute", note := lambda *told: seen.append(told[2])
    )
    client.get("/login")
    event.remove(isolated.engine, "before_cursor_execute", note)
    assert [s for s in seen if "stops" in s] == []


# ---- restarting


def test_restarting_the_high_risk_lane_takes_two_who_just_signed_in(
    app, as_admin, as_officer, as_reviewer, as_viewer
):
    held = switch_helpers.stop_feature()
    restart = f"switches/stops/{held}/restart"
    for somebody in (
        visitor_needing_step_up(app),
        visitor_needing_step_up(app, "compliance_officer"),
    ):
        somebody.get(restart, then=401)
        somebody.post(
            restart,
            then=401,
            verb="request",
            reason="x",
            seen=switch_helpers.stop_fingerprint(held),
        )
    page = as_admin.get(restart)
    assert "A restart needs two people" in main_text(page)
    page = as_admin.post(
        restart,
        verb="request",
        reason="Fixed in release 12.",
        seen=fingerprint_in_form(page),
        follow=True,
    )
    assert "Your request to restart claims-triage · auto-approve awaits" in main_text(page)
    path = newest_approval_page()
    assert as_admin.get(restart, then=303).location == path, "the old address leads to the request"
    decide_approval(as_admin, path, 403, verb="approve", seen=fingerprint_on_page(as_officer, path))
    visitor_needing_step_up(app, "compliance_officer").post(path, then=401, verb="approve")
    assert path in approvals_in_inbox(as_officer) and path not in approvals_in_inbox(as_admin)
    text = main_text(as_officer.get(path))
    assert (
        "Sanjay Patel asks to restart claims-triage · auto-approve" in text
        and "Fixed in release 12." in text
    )
    assert (
        "claims-triage · auto-approve answers again." in text
        and "0 of 0 consumers obey the stop" in text
    )
    assert (
        switch_helpers.REASON in text
        and "Instead of auto-approve a person does it" in text
        and "It is live again within a second" in text
    )
    assert (
        "A restart awaits approval" in main_text(as_reviewer.get(PAGE))
        and path in as_reviewer.get(PAGE).text
    )
    assert (
        "A restart awaits approval" in main_text(as_viewer.get(PAGE))
        and path not in as_viewer.get(PAGE).text
    )
    decide_approval(as_officer, path, verb="approve")
    assert switch_helpers.active_stops() == []
    assert "was restarted." in main_text(as_officer.get(path))
    assert "Already restarted." in main_text(as_reviewer.get(restart))
    as_reviewer.post(restart, then=422, verb="restart", seen="x", reason="x")


def test_the_approval_names_what_answers_again_and_what_stays_stopped(as_admin, as_officer, acting):
    """Restart everything but a system and a feature with stops of their own."""
    switch_helpers.register_system("ad-copywriter", "standard", ("draft", "translate"))
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["frankfurt-worker-3"])
    with acting("admin"):
        held = actions.stop("tenant", None, None, reason="A model answers nonsense.").id
    switch_helpers.stop_feature(None, "ad-copywriter")
    switch_helpers.stop_feature("summarise")
    as_admin.post(
        f"switches/stops/{held}/restart",
        verb="request",
        reason="Fixed.",
        seen=switch_helpers.stop_fingerprint(held),
    )
    with clock.frozen(clock.now() + timedelta(minutes=42)):
        text = main_text(as_officer.get(newest_approval_page()))
    assert "Sanjay Patel asks to restart everything" in text and "42 minutes stopped" in text
    assert (
        "0 of 1 consumers obey the stop" in text
        and "1 consumer didn't obey the stop yet. frankfurt-worker-3" in text
    )
    assert (
        "Everything answers again." in text
        and "1 feature answers again" in text
        and text.count("A stop within it stays.") == 2
    )
    assert "The fallback of auto-approve ends." in text and "The fallback of draft" not in text


def test_a_rejected_restart_says_that_it_is_still_stopped(as_admin, as_officer):
    held = switch_helpers.stop_feature()
    as_admin.post(
        f"switches/stops/{held}/restart",
        verb="request",
        reason="Fixed.",
        seen=switch_helpers.stop_fingerprint(held),
    )
    path = newest_approval_page()
    decide_approval(as_officer, path, verb="reject", reason="The test still fails.")
    text = main_text(as_admin.get(path))
    assert (
        "claims-triage · auto-approve is still stopped." in text and "The test still fails." in text
    )
    assert "rejected a restart" in text
    assert "A restart needs two people" in main_text(
        as_admin.get(f"switches/stops/{held}/restart")
    ), "it can be requested again"


def test_what_changed_since_the_page_was_opened_is_refused(as_admin, as_officer):
    held = switch_helpers.stop_feature(serve=False)
    as_admin.post(
        f"switches/stops/{held}/restart",
        verb="request",
        reason="Fixed.",
        seen=switch_helpers.stop_fingerprint(held),
    )
    path = newest_approval_page()
    seen = fingerprint_on_page(as_officer, path)
    switch_helpers.stop_feature(generate=False)
    again = decide_approval(as_officer, path, 409, verb="approve", seen=seen)
    assert (
        "is void" in main_text(again)
        and "It was stopped again" in main_text(again)
        and len(switch_helpers.active_stops()) == 2
    )


def test_what_changed_since_the_form_was_opened_is_refused(as_admin):
    held = switch_helpers.stop_feature(serve=False)
    restart = f"switches/stops/{held}/restart"
    page = as_admin.get(restart)
    switch_helpers.stop_feature(generate=False)
    again = as_admin.post(
        restart, then=409, verb="request", reason="Fixed.", seen=fingerprint_in_form(page)
    )
    assert (
        "has changed since you opened this page" in main_text(again)
        and newest_approval_id() is None
    )


def test_a_wider_stop_that_stays_is_said_before_the_restart(as_admin):
    part_, _ = switch_helpers.stop_feature(), switch_helpers.stop_feature("summarise")
    restart = f"switches/stops/{part_}/restart"
    assert "A wider stop is active too" not in main_text(as_admin.get(restart))
    whole = switch_helpers.stop_feature(None)
    assert "A wider stop is active too" in main_text(as_admin.get(restart))
    assert "A wider stop is active too" not in main_text(
        as_admin.get(f"switches/stops/{whole}/restart")
    )


@pytest.mark.parametrize("verb", ["", "approve", "keep"])
def test_an_unknown_verb_decides_nothing(as_admin, verb):
    held = switch_helpers.stop_feature()
    as_admin.post(
        f"switches/stops/{held}/restart",
        then=422,
        verb=verb,
        seen=switch_helpers.stop_fingerprint(held),
    )
    assert len(switch_helpers.active_stops()) == 1


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_do_not_restart_or_drill(request, who):
    reader, held = request.getfixturevalue(who), switch_helpers.stop_feature()
    reader.post(f"switches/stops/{held}/restart", then=403, verb="request", reason="x")
    reader.post("systems/claims-triage/drills/new", then=403)
    if who != "as_contributor":
        reader.post(STOP, then=403, what="all", reason="x", **BOTH)
        reader.post("switches/stop", then=403, reason="x", typed="Acme Insurance", **BOTH)
    assert "/restart" not in reader.get(PAGE).text


def test_another_tenant_stops_and_restarts_nothing_of_ours(as_neighbour, as_stranger, acting):
    held, mine = switch_helpers.stop_feature(), part()
    switch_helpers.register_system("router", "standard", ("route",), slug="globex")
    for path in (
        PAGE,
        f"switches/stops/{held}",
        f"switches/stops/{held}/restart",
        f"switches/stops/{held}/obeyed",
    ):
        as_neighbour.get(path, then=404)
        as_stranger.get(path, then=404)
    as_neighbour.post("systems/router/stop", then=422, what=mine, reason="x", **BOTH)
    as_neighbour.post(
        f"switches/stops/{held}/restart",
        then=404,
        verb="restart",
        reason="x",
        seen=switch_helpers.stop_fingerprint(held),
    )
    assert len(switch_helpers.active_stops()) == 1
    with acting("admin", "globex", read_only=True):
        from governance.operations.switches import queries

        assert queries.active_stops() == []


# ---- the pages


def test_the_board_shows_every_switch_and_what_was_restarted(as_viewer, as_admin):
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    held = switch_helpers.stop_feature("draft", "ad-copywriter")
    as_admin.post(
        f"switches/stops/{held}/restart",
        verb="restart",
        reason="Fixed.",
        seen=switch_helpers.stop_fingerprint(held),
    )
    text = main_text(as_viewer.get("switches/"))
    assert (
        "Nothing is stopped" in text
        and "ad-copywriter" in text
        and "auto-approve" in text
        and "Unproven" in text
    )
    assert "Past stops" in text and "ad-copywriter · draft" in text
    assert (
        main_text(as_viewer.get(f"switches/stops/{held}")).count("Fixed.") == 2
    )  # Next to its facts, and from the log.


def test_without_a_system_the_board_says_what_it_is_for(as_neighbour):
    assert "No switches yet" in main_text(as_neighbour.get("switches/"))


@pytest.mark.parametrize("path", [PAGE, "switches/", "systems/claims-triage"])
def test_pages_cost_the_same_however_much_there_is(as_viewer, statements, path):
    def cost():
        with statements() as seen:
            as_viewer.get(path)
        return len(seen)

    key = switch_helpers.create_api_key()
    switch_helpers.stop_feature()
    switch_helpers.note_answers(key, ["a"])
    few = cost()
    for n in range(3):
        switch_helpers.register_system(f"system-{n}", features=[f"feature-{m}" for m in range(4)])
        switch_helpers.stop_feature("feature-1", f"system-{n}")
    switch_helpers.note_answers(key, [f"worker-{n}" for n in range(30)])
    for what in ("summarise", None):
        switch_helpers.stop_feature(what)
    assert cost() <= few + 1


def test_the_first_minute_is_asked_for_by_the_page_and_keeps_no_session_alive(app, as_viewer):
    held = switch_helpers.stop_feature()
    assert f"switches/stops/{held}/obeyed" in as_viewer.get(PAGE).text
    assert "Stopped" in as_viewer.get(f"switches/stops/{held}/obeyed").text
    assert vars(app.view_functions["switches.obeyed"])["attended"] is False
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        assert f"switches/stops/{held}/obeyed" not in as_viewer.get(PAGE).text


def test_a_retired_systems_stop_is_still_told(as_admin, as_viewer, acting):
    from governance.operations.systems import actions as systems

    held = switch_helpers.stop_feature()
    with acting("admin"):
        systems.retire(register.system("claims-triage"), reason="Gone.")
    assert "claims-triage · auto-approve" in as_viewer.get("controls/").text
    as_admin.get(f"switches/stops/{held}/restart")
    as_admin.get(PAGE)
    as_admin.post(STOP, then=422, what="all", reason="x", **BOTH)


# ---- the operators


def test_the_operator_stops_every_tenant_and_their_pages_say_so(
    app, as_operator, as_viewer, as_neighbour, acting
):
    as_operator.post("/operator/switch", then=422, reason="x", typed="tenants", **BOTH)
    page = as_operator.post(
        "/operator/switch",
        reason="A model answers nonsense.",
        typed="every tenant",
        follow=True,
        **BOTH,
    )
    assert "Everything is stopped, for every tenant" in main_text(page)
    for somebody in (as_viewer, as_neighbour, as_operator):
        path = "/operator/" if somebody is as_operator else "controls/"
        assert "Everything, for every tenant" in somebody.get(path).text
    assert "A model answers nonsense." in main_text(as_viewer.get("switches/"))
    assert "by the operator" in main_text(
        as_viewer.get(PAGE)
    ) and "The operator has stopped everything" in main_text(as_viewer.get(PAGE))
    old = Visitor(
        app,
        make.cookie("operator_admin", "console", signed_in_ago=timedelta(minutes=10)),
        "console",
    )
    old.post("/operator/switch/restart", then=401, reason="x", seen=fingerprint_in_form(page))
    as_operator.post(
        "/operator/switch/restart", then=422, reason=" ", seen=fingerprint_in_form(page)
    )
    make.add_member("second_operator", "console", since=clock.now() - make.MEMBERS_FOR)
    as_operator.post("/operator/switch/restart", reason="Fixed.", seen=fingerprint_in_form(page))
    path = newest_approval_page("console")
    assert path in as_operator.get("/operator/switch").text and "awaits approval" in main_text(
        as_operator.get("/operator/switch")
    )
    text = main_text(as_operator.get(path))
    assert (
        "Your request to restart everything, for every tenant" in text
        and "2 tenants answer again" in text
    )
    decide_approval(as_operator, path, 403, verb="approve")
    second = Visitor(app, make.cookie("second_operator", "console"), "console")
    decide_approval(second, path, verb="approve")
    assert "c-banner" not in as_viewer.get("controls/").text
    assert "Nothing is stopped for every tenant" in main_text(as_operator.get("/operator/switch"))


def test_finance_does_not_stop_the_platform(app, isolated):
    visitor = Visitor(app, make.cookie("operator_finance", "console"), "console")
    visitor.get("/operator/switch", then=403)
    visitor.post("/operator/switch", then=403, reason="x", typed="every tenant", **BOTH)
