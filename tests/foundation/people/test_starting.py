"""Start of a sign-in (login CSRF): our own pages at once, others after a confirmation."""

from datetime import timedelta

import pytest

from governance.foundation.people import sign_in_state
from governance.kernel import clock
from tests.browser import Visitor
from tests.foundation.people.conftest import (
    Arrival,
    connect_tenant,
    entries_of_action,
    hidden_fields,
    next_address,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import HostileIdP

OFFICER = "officer@acme.example"
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": "https://evil.example/page"},
]
OURS = [{"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://localhost/login"}, {}]


@pytest.fixture
def globex(idp) -> HostileIdP:
    with HostileIdP.serving("globex") as running:
        connect_tenant("globex", running)
        yield running


@pytest.mark.parametrize("headers", ELSEWHERE)
@pytest.mark.parametrize(
    "address",
    ["/login?tenant=globex&next=/t/globex/evidence/new", "/login?email=officer@globex.example"],
)
def test_a_link_from_elsewhere_starts_no_sign_in_but_names_the_tenant_and_asks(
    app, idp, globex, headers, address
):
    visitor = Visitor(app)
    page = visitor.get(address, headers=headers).text
    assert "Sign in to Globex?" in page and globex.issuer not in page
    assert globex.calls == []


@pytest.mark.parametrize("headers", OURS)
def test_our_own_pages_and_programs_start_it_at_once(app, idp, headers):
    asked = Visitor(app).get("/login?tenant=acme", then=302, headers=headers)
    assert asked.location.startswith(idp.issuer)


def test_who_agrees_goes_on_and_arrives_where_the_link_led(app, idp, globex):
    visitor = Visitor(app, tenant="globex")
    page = visitor.get(
        "/login?tenant=globex&next=/t/globex/settings/sessions", headers=ELSEWHERE[0]
    ).text
    agreed = visitor.post("/login/continue", then=200, **hidden_fields(page))
    coming = Arrival(visitor, "officer@globex.example", asked=next_address(agreed.text))
    assert coming.finish().location == "/t/globex/settings/sessions"


def test_another_site_cannot_agree_for_the_person(app, idp, globex):
    visitor = Visitor(app)
    sent = hidden_fields(visitor.get("/login?tenant=globex", headers=ELSEWHERE[0]).text)
    assert (
        visitor.client.post("/login/continue", data={**sent, "csrf_token": "forged"}).status_code
        == 403
    )
    refused = visitor.client.post(
        "/login/continue", data=sent, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert refused.status_code == 403 and globex.calls == []


# ---- a live session of another tenant


def test_a_live_session_of_another_tenant_is_never_replaced_without_a_question(
    app, idp, globex, arrive
):
    ines = arrive(OFFICER)
    for headers in (*ELSEWHERE, *OURS):
        page = ines.get("/login?tenant=globex", headers=headers).text
        assert "signed in to Acme Insurance" in page and "Switch to Globex" in page
    ines.get("settings/sessions")
    assert globex.calls == []


def test_who_switches_leaves_the_other_tenant_once_the_new_one_vouches(app, idp, globex, arrive):
    ines = arrive(OFFICER)
    agreed = ines.post(
        "/login/continue", then=200, **hidden_fields(ines.get("/login?tenant=globex").text)
    )
    coming = Arrival(ines, "officer@globex.example", asked=next_address(agreed.text))
    ines.get("settings/sessions")  # Until then nothing is lost.
    coming.finish()
    ines.get("/t/globex/settings/sessions")
    assert (
        not sessions_of("acme")
        and entries_of_action("session.ended")[-1].facts["how"] == "switched to another tenant"
    )


def test_who_is_refused_by_the_other_tenant_keeps_the_session(app, idp, globex, arrive):
    ines = arrive(OFFICER)
    agreed = ines.post(
        "/login/continue", then=200, **hidden_fields(ines.get("/login?tenant=globex").text)
    )
    connect_tenant("globex", globex, group_roles={})
    with no_session_starts("globex"):
        Arrival(ines, "officer@globex.example", asked=next_address(agreed.text)).finish(then=403)
    ines.get("settings/sessions")


def test_a_sign_in_begun_before_the_session_asks_when_it_comes_back(app, idp, globex, arrive):
    """Use two tabs: Globex was started first, Acme finished first."""
    visitor = Visitor(app)
    globex_tab = Arrival(visitor, "officer@globex.example")
    arrive(OFFICER, visitor)
    with no_session_starts("globex"):
        page = globex_tab.finish(then=409).text
    assert "signed in to Acme Insurance" in page and "Switch to Globex" in page
    assert not [path for path in globex.calls if path.endswith("/token")]
    visitor.get("settings/sessions")


def test_a_yes_to_leaving_one_session_is_none_to_leaving_a_later_one(app, idp, globex, arrive):
    ines = arrive(OFFICER)
    asked = hidden_fields(ines.get("/login?tenant=globex").text)
    coming = Arrival(
        ines,
        "officer@globex.example",
        asked=next_address(ines.post("/login/continue", then=200, **asked).text),
    )
    arrive(OFFICER, ines)
    with no_session_starts("globex"):
        coming.finish(then=409)
    page = ines.post("/login/continue", then=409, **asked | {"csrf_token": ines.csrf()}).text
    assert "signed in to Acme Insurance" in page
    ines.get("settings/sessions")


def test_a_step_up_in_ones_own_tenant_asks_nothing_more(app, idp, arrive):
    ines = arrive(OFFICER)
    assert ines.get("/login?tenant=acme&fresh=1", then=302, headers=OURS[0]).location.startswith(
        idp.issuer
    )


def test_the_list_of_ones_tenants_switches_with_one_click(app, idp, globex, arrive):
    ines = arrive(OFFICER)
    page = ines.get("settings/tenants").text
    assert "/login?tenant=" not in page


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"tenant": "nobody"},
        {"tenant": "A b"},
        {"tenant": "globex", "next": "//evil.example"},
        {"tenant": "globex", "leaves": "x"},
    ],
)
def test_a_yes_that_is_none_of_ours_harms_nobody(app, idp, globex, form):
    visitor = Visitor(app)
    reply = visitor.post("/login/continue", then=None, **form)
    assert reply.status_code in {200, 422} and "evil.example" not in reply.text


def test_a_network_starts_no_more_sign_ins_a_minute_than_people_do(app, idp, monkeypatch):
    monkeypatch.setattr(sign_in_state, "MAX_STARTED_PER_MINUTE", 3)
    for _ in range(3):
        Visitor(app).get("/login?tenant=acme", then=302)
    refused = Visitor(app).get("/login?tenant=acme", then=429)
    assert "Too many sign-ins were started from your network" in refused.text
    elsewhere = Visitor(app).client.get(
        "/login?tenant=acme", environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert elsewhere.status_code == 302
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        Visitor(app).get("/login?tenant=acme", then=302)
