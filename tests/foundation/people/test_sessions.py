"""Sessions: lifetime, end, cost of an answer without one, and forged forms."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup

from governance.foundation.people import queries
from governance.foundation.people.models import Membership
from governance.foundation.people.sessions import IDLE_TIMEOUT, MAX_SESSION_LIFETIME
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.formatting import plural
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import (
    Arrival,
    entries_of_action,
    hidden_fields,
    next_address,
    sessions_of,
)
from tests.foundation.people.hostile_idp import BACK_CHANNEL, HostileIdP, forge_token
from tests.foundation.people.member_helpers import membership_id

OFFICER, ADMIN = "officer@acme.example", "admin@acme.example"


def session_id(role: str, slug: str = "acme") -> str:
    with make.acting(role, slug, read_only=True):
        return str(queries.live_sessions(make.person_id(role, slug))[0].id)


# ---- lifetime


def test_an_idle_session_ends_after_an_hour(as_officer):
    at = clock.now()
    with clock.frozen(at + IDLE_TIMEOUT - timedelta(minutes=2)):
        as_officer.get("settings/sessions")  # This keeps it alive.
    with clock.frozen(at + IDLE_TIMEOUT + timedelta(minutes=30)):
        as_officer.get("settings/sessions")
    with clock.frozen(
        at + IDLE_TIMEOUT + timedelta(minutes=30) + IDLE_TIMEOUT + timedelta(seconds=61)
    ):
        as_officer.get("settings/sessions", then=302)


def test_an_idle_session_is_no_longer_listed(as_officer, as_admin):
    with (
        clock.frozen(clock.now() + IDLE_TIMEOUT + timedelta(seconds=1)),
        make.acting("admin", read_only=True),
    ):
        assert queries.live_sessions() == []


def test_no_session_outlives_twelve_hours(as_officer):
    at = clock.now()
    moment = at
    while moment < at + MAX_SESSION_LIFETIME - timedelta(minutes=30):
        moment += timedelta(minutes=30)
        with clock.frozen(moment):
            as_officer.get("settings/sessions", then=None)
    with clock.frozen(at + MAX_SESSION_LIFETIME - timedelta(seconds=5)):
        as_officer.get("settings/sessions")
    with clock.frozen(at + MAX_SESSION_LIFETIME + timedelta(seconds=5)):
        as_officer.get("settings/sessions", then=302)


def test_a_session_of_a_tenant_that_was_suspended_is_dead(as_officer):
    tenant_id = make.system_actor("acme").tenant_id
    with make.acting("operator_admin", "console"):
        from governance.foundation.tenants.models import Tenant

        session().get(Tenant, tenant_id).status = "suspended"
    assert "is suspended" in as_officer.get("settings/sessions", then=403).text


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "acme",
        "acme.",
        ".token",
        "nobody.token",
        "acme.ü",
        "a b.token",
        "acme." + "x" * 3000,
        "globex.token",
    ],
)
def test_a_cookie_that_is_none_is_nobody(app, isolated, cookie):
    Visitor(app, cookie or None).get("settings/sessions", then=302)


# ---- roles are read on each request


def test_a_role_counts_from_the_next_request_on(as_admin, as_officer):
    as_officer.get("settings/members")
    as_admin.post(f"settings/members/{membership_id('compliance_officer')}/role", role="viewer")
    as_officer.get("settings/members", then=403)


def test_a_removed_members_next_request_is_refused(as_admin, as_officer):
    as_officer.get("settings/sessions")
    as_admin.post(f"settings/members/{membership_id('compliance_officer')}/remove")
    as_officer.get("settings/sessions", then=302)
    as_officer.post("settings/sessions/00000000-0000-7000-8000-000000000000/end", then=302)


def test_a_membership_that_ended_otherwise_is_enough(as_officer):
    with make.acting("admin"):
        held = session().get(
            Membership,
            (
                current.actor().tenant_id,
                queries.membership_of(make.person_id("compliance_officer")).id,
            ),
        )
        held.ended_at = clock.now()
    as_officer.get("settings/sessions", then=302)


# ---- ending them


def test_the_list_marks_this_one_and_ends_another(app, as_officer):
    other = Visitor(app, make.cookie("compliance_officer"))
    shown = as_officer.get("settings/sessions").text
    assert f"You have {plural(2, 'open session')}" in shown and shown.count("this session") == 1
    mine = {
        row.id: row
        for row in sessions_of()
        if row.person_id == make.person_id("compliance_officer")
    }
    own = (
        BeautifulSoup(shown, "html.parser")
        .find(string=lambda t: t.strip() == "this session")
        .find_parent("tr")
        .form["action"]
    )
    theirs = next(i for i in mine if str(i) not in own)
    as_officer.post(f"settings/sessions/{theirs}/end")
    other.get("settings/sessions", then=302)
    as_officer.get("settings/sessions")
    as_officer.post(f"settings/sessions/{theirs}/end")  # Idempotent.
    assert len(entries_of_action("session.ended")) == 1


def test_ending_ones_own_session_signs_out(as_officer):
    as_officer.post(f"settings/sessions/{session_id('compliance_officer')}/end")
    as_officer.get("settings/sessions", then=302)


def test_an_admin_sees_and_ends_anyones(as_admin, as_officer):
    shown = as_admin.get(f"settings/members/{membership_id('compliance_officer')}/sessions").text
    assert f"Ines Duarte has {plural(1, 'open session')}" in shown
    as_admin.post(f"settings/sessions/{session_id('compliance_officer')}/end")
    as_officer.get("settings/sessions", then=302)
    assert entries_of_action("session.ended")[-1].facts == {"how": "ended by an admin"}


def test_an_admin_ends_all_of_a_member(as_admin, as_officer):
    as_admin.post(f"settings/members/{membership_id('compliance_officer')}/sessions/end")
    as_officer.get("settings/sessions", then=302)
    assert (
        "No open sessions"
        in as_admin.get(f"settings/members/{membership_id('compliance_officer')}/sessions").text
    )


def test_nobody_else_ends_or_sees_a_session(as_officer, as_viewer, as_admin, as_neighbour):
    as_viewer.post(f"settings/sessions/{session_id('compliance_officer')}/end", then=404)
    as_officer.get(f"settings/members/{membership_id('viewer')}/sessions", then=403)
    as_admin.post(f"settings/sessions/{session_id('compliance_officer', 'globex')}/end", then=404)
    as_neighbour.get("settings/sessions")
    as_officer.get("settings/sessions")


# ---- signing out


def test_sign_out_ends_it_here_and_at_the_provider(app, idp, arrive):
    ines = arrive(OFFICER)
    copied = ines.client.get_cookie("session").value
    page = ines.post("/logout", then=200)
    assert idp.issuer + "/logout?id_token_hint=" in page.text and page.headers["Clear-Site-Data"]
    assert ines.client.get_cookie("session") is None
    Visitor(app, copied).get("settings/sessions", then=302)
    assert entries_of_action("session.ended")[-1].facts == {"how": "signed out"}


def test_sign_out_works_while_the_provider_is_away(app, idp, arrive):
    from governance.foundation.people import provider_metadata

    ines = arrive(OFFICER)
    copied = ines.client.get_cookie("session").value
    idp.attack("down")
    provider_metadata.forget_metadata()
    assert ines.post("/logout").location == "/login"
    Visitor(app, copied).get("settings/sessions", then=302)


def test_a_logout_address_that_is_no_address_is_not_offered(app, idp, arrive):
    from governance.foundation.people import provider_metadata
    from tests.foundation.people.hostile_idp import DISCOVERY, change_document

    ines = arrive(OFFICER)
    provider_metadata.forget_metadata()
    change_document(DISCOVERY, end_session_endpoint="javascript:alert(1)")(idp)
    assert ines.post("/logout").location == "/login"


def test_sign_out_without_a_session_is_no_fault(client):
    assert client.post("/logout").location == "/login"


# ---- back-channel logout


def sid_of(idp: HostileIdP) -> str:
    return next(row.idp_sid for row in sessions_of() if row.issuer == idp.issuer)


def back_channel(app, token: str, then: int, slug: str = "acme") -> None:
    reply = app.test_client().post(f"/auth/back-channel/{slug}", data={"logout_token": token})
    assert reply.status_code == then, reply.text
    assert reply.headers["Cache-Control"] == "no-store"


def test_the_back_channel_ends_the_session_it_names(app, idp, arrive):
    ines, elsewhere = arrive(OFFICER), Visitor(app, make.cookie("compliance_officer"))
    back_channel(app, idp.logout_token(sid_of(idp)), 200)
    ines.get("settings/sessions", then=302)
    elsewhere.get("settings/sessions")
    assert "identity provider" in entries_of_action("session.ended")[-1].facts["how"]


def test_the_back_channel_ends_all_of_a_person(app, idp, arrive):
    one, two, boss = arrive(OFFICER), arrive(OFFICER), arrive(ADMIN)
    back_channel(app, idp.logout_token(None), 200)
    one.get("settings/sessions", then=302)
    two.get("settings/sessions", then=302)
    boss.get("settings/sessions")


def test_a_logout_token_counts_once(app, idp, arrive):
    arrive(OFFICER)
    token = idp.logout_token(None)
    back_channel(app, token, 200)
    again = arrive(OFFICER)
    back_channel(app, token, 400)
    again.get("settings/sessions")


def test_a_logout_token_about_another_persons_session_ends_nothing(app, idp, arrive):
    ines = arrive(OFFICER)
    back_channel(app, idp.logout_token(sid_of(idp), sub="acme-1001"), 200)
    ines.get("settings/sessions")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "other"},
        {"aud": ["governance-console", "other"]},
        {"nonce": "n"},
        {"events": None},
        {"events": []},
        {"events": "http://schemas.openid.net/event/backchannel-logout"},
        {"events": {"other": {}}},
        {"jti": None},
        {"jti": ""},
        {"iat": None},
        {"iat": "now"},
        {"iat": 5},
        {"exp": 5},
        {"exp": "soon"},
        {"exp": True},
        {"sub": None, "sid": None},
        {"sub": 5, "sid": None},
    ],
)
def test_an_odd_logout_token_is_refused(app, idp, arrive, changes):
    ines = arrive(OFFICER)
    fit = {"sid": sid_of(idp)} | changes
    back_channel(app, idp.logout_token(fit.pop("sid"), **({"sub": "acme-1002"} | fit)), 400)
    ines.get("settings/sessions")


def test_an_id_token_is_no_logout_token(app, idp, arrive):
    ines = arrive(OFFICER)
    now, key = int(clock.now().timestamp()), idp.idp.provider.keys["RS256"]
    id_token = {
        "iss": idp.issuer,
        "aud": idp.client.id,
        "iat": now,
        "exp": now + 100,
        "sub": "acme-1002",
        "sid": sid_of(idp),
        "jti": "x",
    }
    logout = id_token | {"events": {BACK_CHANNEL: {}}}
    for claims, header in (
        (id_token | {"nonce": "n"}, {"typ": "JWT"}),
        (id_token, {}),
        (logout | {"nonce": "n"}, {"typ": "JWT"}),
        (logout, {"typ": "at+jwt"}),
        (logout, {"typ": "secevent+jwt"}),
        (logout, {"typ": ""}),
    ):
        back_channel(app, forge_token(claims, {"alg": "RS256", "kid": key.kid, **header}, key), 400)
    back_channel(app, forge_token(logout, {"alg": "none", "typ": "logout+jwt"}, ""), 400)
    for junk in ("", "x", "a.b.c", "ü" * 10, "." * 100000):
        back_channel(app, junk, 400)
    ines.get("settings/sessions")


@pytest.mark.parametrize(
    "header", [{"typ": "logout+jwt"}, {"typ": "application/logout+jwt"}, {"typ": "JWT"}, {}]
)
@pytest.mark.parametrize("lasts", [120, None])
def test_a_logout_token_needs_neither_type_nor_expiry_but_is_young(app, idp, arrive, header, lasts):
    """Accept both: Back-Channel Logout 1.0 only recommends a type, and its drafts have no `exp`.

    `iat` bounds both.
    """
    ines, key, now = arrive(OFFICER), idp.idp.provider.keys["RS256"], int(clock.now().timestamp())

    def token(issued: int) -> str:
        claims = {
            "iss": idp.issuer,
            "aud": [idp.client.id],
            "iat": issued,
            "sub": "acme-1002",
            "jti": f"j{issued}",
            "events": {BACK_CHANNEL: {}},
        }
        return forge_token(
            claims | ({"exp": issued + lasts} if lasts else {}),
            {"alg": "RS256", "kid": key.kid, **header},
            key,
        )

    for issued in (now - 3600, now - 200, now + 200):
        back_channel(app, token(issued), 400)
    ines.get("settings/sessions")
    back_channel(app, token(now), 200)
    ines.get("settings/sessions", then=302)


def test_a_logout_token_is_remembered_for_as_long_as_it_would_be_taken(app, idp, arrive):
    """Remember a token for as long as it is valid, even one issued up to 300 s ahead."""
    key, now = idp.idp.provider.keys["RS256"], clock.now()
    claims = {
        "iss": idp.issuer,
        "aud": idp.client.id,
        "iat": int(now.timestamp()) + 140,
        "sub": "acme-1002",
        "jti": "once",
        "events": {BACK_CHANNEL: {}},
    }
    token = forge_token(claims, {"alg": "RS256", "kid": key.kid}, key)
    back_channel(app, token, 200)
    with clock.frozen(now + timedelta(seconds=280)):
        back_channel(app, token, 400)
    assert entries_of_action("session.ended") == []


def test_a_logout_token_of_one_tenant_is_nothing_in_another(app, idp, arrive):
    ines = arrive(OFFICER)
    back_channel(app, idp.logout_token(None), 404, slug="globex")
    back_channel(app, idp.logout_token(None), 404, slug="nobody")
    ines.get("settings/sessions")


def test_junk_does_not_make_us_ask_the_provider_each_time(app, idp, arrive):
    arrive(OFFICER)
    before = len(idp.calls)
    for _ in range(20):
        back_channel(app, "a.b.c", 400)
        back_channel(app, "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.e30.AAAA", 400)
    assert len(idp.calls) - before <= 1


# ---- forged forms


def test_a_form_without_its_token_does_nothing(as_officer):
    own = session_id("compliance_officer")
    as_officer.post(f"settings/sessions/{own}/end", then=403, csrf_token="")
    as_officer.post(f"settings/sessions/{own}/end", then=403, csrf_token="wrong")
    as_officer.get("settings/sessions")


def test_a_token_of_another_session_does_nothing(app, as_officer, as_viewer):
    own = session_id("compliance_officer")
    as_officer.post(f"settings/sessions/{own}/end", then=403, csrf_token=as_viewer.csrf())
    as_officer.post(f"settings/sessions/{own}/end", then=403, csrf_token=Visitor(app).csrf())
    as_officer.get("settings/sessions")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost.evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/logout", "/theme", "/login", "/t/acme/settings/members/invite"])
def test_another_sites_form_does_nothing(as_admin, headers, path):
    reply = as_admin.client.post(
        path,
        data={"csrf_token": as_admin.csrf(), "email": "x@acme.example", "role": "viewer"},
        headers=headers,
    )
    assert reply.status_code == 403
    as_admin.get("settings/sessions")


def test_sign_in_itself_needs_the_browsers_token(app, isolated):
    stranger = app.test_client()
    assert stranger.post("/login", data={"email": OFFICER}).status_code == 403


# ---- theme and ways back


def test_the_theme_is_kept_in_a_cookie(as_officer):
    assert 'data-bs-theme="light"' in as_officer.get("settings/sessions").text
    reply = as_officer.post("/theme", theme="dark", back="/t/acme/settings/sessions")
    assert reply.location == "/t/acme/settings/sessions" and "theme=dark" in "".join(
        reply.headers.getlist("Set-Cookie")
    )
    assert 'data-bs-theme="dark"' in as_officer.get("settings/sessions").text
    as_officer.post("/theme", theme="<script>", back="/")
    assert 'data-bs-theme="light"' in as_officer.get("settings/sessions").text


@pytest.mark.parametrize("path", ["", "inbox/", "frameworks/", "reliability/", "settings/sessions"])
def test_the_theme_changes_nothing_of_a_page_but_its_colours_and_the_button(as_officer, path):
    """Compare the page's markup; tests/journeys/test_pages.py checks the dark colors."""
    pages = []
    with clock.frozen(clock.now()):  # "a minute ago" must not become two in between.
        for theme in ("light", "dark"):
            as_officer.post("/theme", theme=theme, back="/")
            page = BeautifulSoup(as_officer.get(path).text, "html.parser")
            assert page.html.attrs.pop("data-bs-theme") == theme
            assert page.find("form", action="/theme").extract()
            for token in page.find_all("input", attrs={"name": "csrf_token"}):
                del token["value"]  # It is masked differently in each answer.
            pages.append(str(page))
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example/", "/\\evil.example", "", None]
)
def test_the_theme_leads_back_to_us_only(as_officer, back):
    assert as_officer.post("/theme", theme="dark", back=back).location == "/"


def test_a_referer_of_another_site_is_no_way_back(as_officer):
    reply = as_officer.client.post(
        "/theme",
        data={"csrf_token": as_officer.csrf()},
        headers={"Referer": "https://evil.example/t/acme/"},
    )
    assert reply.location == "/"


def test_the_way_in_remembers_where_one_was_going(client):
    assert (
        client.get("settings/sessions?x=1", then=302).location
        == "/login?next=/t/acme/settings/sessions%3Fx%3D1"
    )


# ---- tenants of a person


def test_one_person_in_two_tenants_enters_each_by_its_own_sign_in(app, idp, arrive):
    from tests.foundation.people.conftest import connect_tenant

    connect_tenant("globex", idp)
    with current.acting_as(make.system_actor("globex")):
        Arrival(Visitor(app), ADMIN, tenant="globex").finish()
    boss = arrive(ADMIN)
    page = boss.get("settings/tenants")
    assert (
        f"You&#39;re a member of {plural(2, 'tenant')}" in page.text
        and "Switch to Globex" in page.text
    )
    away = boss.get("/t/globex/settings/sessions", then=302)
    assert away.location.startswith("/login?tenant=globex")
    agreed = boss.post("/login/continue", then=200, **hidden_fields(boss.get(away.location).text))
    Arrival(boss, ADMIN, asked=next_address(agreed.text)).finish()
    boss.get("/t/globex/settings/sessions")
    assert [e.facts["how"] for e in entries_of_action("session.ended")] == [
        "switched to another tenant"
    ]


def test_pages_of_another_tenant_are_not_there(as_stranger):
    for path in (
        "settings/sessions",
        "settings/members",
        "settings/sign-in",
        "settings/",
        "settings/tenants",
    ):
        as_stranger.get(path, then=404)
