"""Sign-in through the front door: the valid way, and every invalid one."""

from datetime import timedelta
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests

from governance.demo.idp.directory import Person
from governance.foundation.people import id_tokens, provider_metadata
from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.kernel.safety import outbound_http
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import (
    Arrival,
    connect_tenant,
    entries_of_action,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import (
    ATTACKS,
    DISCOVERY,
    EVIL,
    STEP_UP_ATTACKS,
    HostileIdP,
    change_claims,
    change_document,
    change_header,
)

OFFICER, ADMIN = "officer@acme.example", "admin@acme.example"
NOT_SEEN = {
    "userinfo of somebody else"
}  # The ID token has the address, so userinfo isn't requested; tests below cover that.


def test_the_good_one_is_let_in(app, idp, arrive):
    ines = arrive(OFFICER)
    page = ines.get("settings/sessions")
    assert f"You have {plural(1, 'open session')}" in page.text
    started = entries_of_action("session.started")[-1]
    assert started.facts["via"] == "oidc" and set(started.sealed) == {"name", "email"}


def test_the_question_is_bound_by_state_nonce_and_pkce(app, idp):
    asked = parse_qs(urlsplit(Arrival(Visitor(app), OFFICER).asked).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["response_type"] == ["code"]
    assert (
        len(asked["state"][0]) > 40
        and len(asked["nonce"][0]) > 40
        and len(asked["code_challenge"][0]) == 43
    )
    assert asked["redirect_uri"] == ["http://localhost/auth/callback/acme"] and asked["scope"] == [
        "openid email profile groups"
    ]


@pytest.mark.parametrize(
    "attack", [name for name in ATTACKS if name not in {*NOT_SEEN, "down", "refuses connections"}]
)
def test_every_attack_is_refused(app, idp, attack):
    visitor = Visitor(app)
    if attack.startswith("metadata"):
        idp.attack(attack)
        with no_session_starts():
            assert visitor.get(f"/login?email={OFFICER}", then=503).text
        return
    coming = Arrival(visitor, OFFICER)
    provider_metadata.forget_metadata()
    idp.attack(attack)
    with no_session_starts():
        refused = visitor.get(coming.answered(), then=None)
    assert refused.status_code in {403, 503}, refused.status_code
    assert "session=" not in "".join(refused.headers.getlist("Set-Cookie"))
    assert visitor.client.get_cookie("session") is None
    assert visitor.get("settings/sessions", then=302).location.startswith("/login")


@pytest.mark.parametrize("attack", STEP_UP_ATTACKS)
def test_a_step_up_takes_a_fresh_sign_in_of_the_same_person(app, idp, arrive, attack):
    ines = arrive(OFFICER)
    coming = Arrival(ines, OFFICER, fresh="1")
    assert parse_qs(urlsplit(coming.asked).query)["max_age"] == ["300"]
    STEP_UP_ATTACKS[attack](idp)
    with no_session_starts():
        coming.finish(then=403)
    assert entries_of_action("session.denied")[-1].outcome == "denied"
    ines.get("settings/sessions")  # She is still signed in as herself.


def test_an_auth_time_in_the_future_is_refused_at_any_sign_in(app, idp):
    STEP_UP_ATTACKS["auth_time in an hour"](idp)
    with no_session_starts():
        Arrival(Visitor(app), OFFICER).finish(then=403)


@pytest.mark.parametrize(
    "value", [0, -1, "now", "1795641840", True, [], 10**400, 1_795_641_840_000]
)
def test_an_auth_time_that_is_none_is_no_hindrance_and_never_fresh(app, idp, arrive, value):
    """Ignore `auth_time` without `max_age`, and never count it as a fresh sign-in."""
    change_claims(auth_time=value)(idp)
    boss = arrive(ADMIN)
    boss.get("settings/members")
    boss.post("settings/members/invite", then=401, email="new@acme.example", role="viewer")


@pytest.mark.parametrize(
    ("attack", "says"),
    [
        ("no auth_time", "sent no auth_time claim"),
        ("auth_time is 0", "auth_time claim that isn&#39;t a time"),
        ("stale auth_time", "by its auth_time claim"),
    ],
)
def test_a_refused_step_up_names_the_claim_and_what_to_set(app, idp, arrive, attack, says):
    ines = arrive(OFFICER)
    coming = Arrival(ines, OFFICER, fresh="1")
    STEP_UP_ATTACKS[attack](idp)
    page = coming.finish(then=403).text
    assert says in page and "At the provider," in page


def test_a_type_of_jwt_or_none_is_an_id_token(app, idp):
    for typ in ("JWT", "jwt", "application/jwt"):
        change_header(typ=typ)(idp)
        Arrival(Visitor(app), OFFICER).finish(then=303)


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [float("nan"), "now", True, 10**400, [], -1])
def test_a_time_that_is_none_is_refused_and_never_a_fault(app, idp, name, value):
    change_claims(**{name: value})(idp)
    with no_session_starts():
        Arrival(Visitor(app), OFFICER).finish(then=403)


@pytest.mark.parametrize("value", ["", 5, ["acme-1002"], "x" * 256, "acme-1002\0"])
def test_a_subject_that_is_none_is_refused(app, idp, value):
    change_claims(sub=value)(idp)
    with no_session_starts():
        Arrival(Visitor(app), OFFICER).finish(then=403)


def test_odd_names_and_addresses_do_no_harm(app, idp, arrive):
    change_claims(
        name="Ines\0\r\nDuarte <b>", email=["x"], groups=["governance-officers", 5, None]
    )(idp)
    ines = arrive(OFFICER)
    assert "Ines Duarte &lt;b&gt;" in ines.get("settings/sessions").text


def test_without_auth_time_nobody_counts_as_fresh(app, idp, arrive):
    change_claims(auth_time=None)(idp)
    boss = arrive(ADMIN)
    boss.post("settings/members/invite", then=401, email="new@acme.example", role="viewer")


def test_userinfo_must_be_about_the_same_person(app, idp, arrive):
    change_claims(email=None)(idp)
    arrive(OFFICER)  # The honest userinfo supplies what the token omitted.
    change_document("/userinfo", sub="acme-1001", email=ADMIN)(idp)
    with no_session_starts():
        Arrival(Visitor(app), OFFICER).finish(then=403)


# ---- the answer


def test_a_used_state_is_used(app, idp):
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    visitor.get(answer, then=303)
    with no_session_starts():
        assert "already used" in visitor.get(answer, then=403).text


def test_a_state_is_used_up_by_a_refused_answer_too(app, idp):
    visitor = Visitor(app)
    coming = Arrival(visitor, OFFICER)
    idp.attack("nonce wrong")
    answer = coming.answered()
    visitor.get(answer, then=403)
    idp.calm()
    assert "already used" in visitor.get(answer, then=403).text


def test_the_answer_belongs_to_the_browser_that_asked(app, idp):
    answer = Arrival(Visitor(app), OFFICER).answered()
    with no_session_starts():
        Visitor(app).get(answer, then=403)


def test_a_sign_in_lasts_ten_minutes(app, idp):
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    with clock.frozen(clock.now() + timedelta(minutes=11)), no_session_starts():
        assert "10 minutes" in visitor.get(answer, then=403).text


def changed(answer: str, **changes: str | None) -> str:
    query = {**dict(parse_qsl(urlsplit(answer).query)), **changes}
    return f"{urlsplit(answer).path}?" + urlencode(
        {name: value for name, value in query.items() if value is not None}
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"state": None},
        {"state": ""},
        {"state": "acme.guessed"},
        {"state": "globex.guessed"},
        {"state": "nobody.x"},
        {"state": "A b.x"},
        {"code": None},
        {"code": ""},
        {"code": "guessed"},
        {"iss": EVIL},
        {"iss": None},
        {"error": "access_denied"},
        {"error": "<b>"},
    ],
)
def test_a_forged_answer_is_a_page_that_says_so(app, idp, changes):
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    with no_session_starts():
        refused = visitor.get(changed(answer, **changes), then=403)
    assert (
        "Not signed in" in refused.text
        and "/login" in refused.text
        and "<b>" not in refused.text.split("<main")[1].replace("<b><", "")
    )


def test_a_bare_callback_is_refused_with_a_page(client):
    assert "Not signed in" in client.get("/auth/callback/acme", then=403).text


def test_a_code_counts_once(app, idp):
    one, two = Visitor(app), Visitor(app)
    answer = Arrival(one, OFFICER).answered()
    one.get(answer, then=303)
    code = dict(parse_qsl(urlsplit(answer).query))["code"]
    other = Arrival(two, OFFICER).answered()
    with no_session_starts():
        two.get(changed(other, code=code), then=403)


def test_a_code_of_another_question_fails_by_pkce(app, idp):
    """Reject code injection: the victim's own state with the attacker's unused code."""
    stolen = dict(parse_qsl(urlsplit(Arrival(Visitor(app), ADMIN).answered()).query))["code"]
    victim = Visitor(app)
    answer = Arrival(victim, OFFICER).answered()
    with no_session_starts():
        victim.get(changed(answer, code=stolen), then=403)


# ---- access


def test_no_membership_is_refused_by_name_and_logged_sealed(app, idp):
    connect_tenant("acme", idp, group_roles={})
    outsider = Visitor(app)
    with no_session_starts():
        refused = Arrival(outsider, OFFICER).finish(then=403)
    assert f"has no open invitation for {OFFICER}" in refused.text
    entry = entries_of_action("session.denied")[-1]
    assert (
        entry.outcome == "denied"
        and set(entry.sealed) == {"email"}
        and OFFICER.encode() not in entry.body
    )
    with make.acting("admin"):
        from governance.foundation.people.models import Person, person_key
        from governance.kernel.data.db import session

        assert (
            session().get(Person, person_key(idp.issuer, "acme-1002")) is None
        )  # No person is stored who has no access.


def test_a_removed_member_does_not_come_back_by_their_group(app, idp, arrive):
    arrive(OFFICER)
    boss = arrive(ADMIN)
    boss.post(f"settings/members/{membership(idp, 'acme-1002')}/remove")
    with no_session_starts():
        Arrival(Visitor(app), OFFICER).finish(then=403)


def membership(idp: HostileIdP, subject: str) -> str:
    from governance.foundation.people import queries
    from governance.foundation.people.models import person_key

    with make.acting("admin", read_only=True):
        found = queries.membership_of(person_key(idp.issuer, subject))
        assert found
        return str(found.id)


def test_a_role_follows_the_groups_at_the_next_sign_in(app, idp, arrive):
    arrive(OFFICER)
    change_claims(groups=["governance-viewers"])(idp)
    arrive(OFFICER)
    assert entries_of_action("membership.role.changed")[-1].changes == {
        "role": ["compliance_officer", "viewer"]
    }
    change_claims(groups=["somebody-else"])(idp)
    with no_session_starts():
        assert "None of your groups" in Arrival(Visitor(app), OFFICER).finish(then=403).text
    change_claims(groups=["admin", "operator_admin"])(idp)  # Names of roles are no mapping.
    Arrival(Visitor(app), OFFICER).finish(then=403)


def test_a_provider_of_one_tenant_opens_no_other(app, idp, arrive):
    """Deny access to globex with an answer for acme.

    Both trust the same issuer and client.
    """
    connect_tenant("globex", idp)
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    state = dict(parse_qsl(urlsplit(answer).query))["state"]
    with no_session_starts("globex"), no_session_starts("acme"):
        visitor.get(changed(answer, state=state.replace("acme.", "globex.")), then=403)
    ines = arrive(OFFICER)
    ines.get("/t/globex/settings/sessions", then=404)
    token = ines.client.get_cookie("session").value
    assert token.startswith("acme.")
    Visitor(app, token.replace("acme.", "globex.")).get("/t/globex/settings/sessions", then=302)


def test_another_tenants_provider_signs_in_only_to_its_own(app, idp):
    with HostileIdP.serving("globex") as theirs:
        connect_tenant("globex", theirs)
        theirs.tamper = lambda honest, header: (
            {**honest, "email": ADMIN, "sub": "acme-1001"},
            header,
            None,
        )
        tomas = Visitor(app)
        with no_session_starts("acme"):
            Arrival(tomas, "admin@globex.example").finish(then=303)
        tomas.get("/t/acme/settings/sessions", then=404)


# ---- the provider is unavailable


def test_a_provider_that_is_away_is_a_clear_page(app, idp):
    idp.attack("down")
    visitor = Visitor(app)
    assert (
        "The identity provider answered with status 503"
        in visitor.get(f"/login?email={OFFICER}", then=503).text
    )
    visitor.get("/login")
    visitor.post("/login", then=200, email=OFFICER)


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)//https://id.acme.example",
        "https://id.acme.example/\r\nX-Planted: yes",
        "https://id.acme.example/\ud800",
        "https://id.acme.example/a b",
        "//id.acme.example/authorize",
        "https://user@id.acme.example/",
        "data:text/html,x",
    ],
)
def test_an_authorization_endpoint_that_is_no_address_leads_nobody_anywhere(app, idp, address):
    change_document(DISCOVERY, authorization_endpoint=address)(idp)
    page = Visitor(app).get("/login?tenant=acme", then=503)
    assert "authorization_endpoint isn&#39;t an HTTPS URL" in page.text
    assert "Location" not in page.headers and "X-Planted" not in page.headers


def test_a_provider_that_goes_away_meanwhile(app, idp):
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    idp.attack("down")
    with no_session_starts():
        assert "Not signed in" in visitor.get(answer, then=503).text


def test_a_provider_that_refuses_connections(app, isolated):
    with HostileIdP.serving() as gone:
        connect_tenant("acme", gone)
        gone.stop()
        provider_metadata.forget_metadata()
        assert (
            "reach the identity provider"
            in Visitor(app).get(f"/login?email={OFFICER}", then=503).text
        )


def test_a_slow_provider_is_not_waited_for(app, idp, monkeypatch):
    monkeypatch.setattr(outbound_http, "TIMEOUT_SECONDS", (0.2, 0.2))
    idp.delay = 0.6
    assert "respond in time" in Visitor(app).get(f"/login?email={OFFICER}", then=503).text


def test_a_wrong_secret_is_said(app, idp):
    connect_tenant("acme", idp, secret="not-the-one")
    assert "client ID or secret" in Arrival(Visitor(app), OFFICER).finish(then=503).text


def test_rotated_keys_are_asked_for_again(app, idp, arrive, monkeypatch):
    arrive(OFFICER)
    monkeypatch.setattr(id_tokens, "MIN_KEY_REFRESH_SECONDS", 0)
    idp.rotate_keys()
    arrive(OFFICER)
    assert len([each for each in sessions_of() if each.issuer == idp.issuer]) == 2


# ---- the target after sign-in


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "/" + "x" * 2000,
    ],
)
def test_only_a_path_of_ours_follows_a_sign_in(app, idp, path):
    assert Arrival(Visitor(app), OFFICER, next=path).finish().location == "/t/acme/"


def test_a_path_of_ours_does_follow(app, idp):
    assert (
        Arrival(Visitor(app), OFFICER, next="/t/acme/settings/sessions?q=Größe")
        .finish()
        .location.startswith("/t/acme/settings/sessions?q=Gr")
    )


@pytest.mark.parametrize(
    "address",
    [
        "nobody@unknown.example",
        "no address",
        "",
        "a b@acme.example",
        "a@b@c.example",
        "<a@acme.example>",
    ],
)
def test_an_unknown_address_is_a_field_that_says_so(client, address):
    assert "c-err" in client.post("/login", then=422, email=address).text


def test_a_known_address_goes_on_by_itself(app, idp):
    page = Visitor(app).post("/login", then=200, email=" Officer@ACME.example ")
    assert "Acme Insurance" in page.text and 'http-equiv="refresh"' in page.text


def test_an_unknown_tenant_and_one_without_a_provider(app, client, isolated):
    assert "The tenant of this link doesn" in client.get("/login?tenant=nobody", then=422).text
    assert "set up sign-in yet" in client.get("/login?tenant=globex", then=422).text
    client.get("/login?tenant=A%20b", then=422)


# ---- the cookie


def test_the_cookie_over_https(app, idp):
    visitor = Visitor(app)
    kept = {name: app.config[name] for name in ("SECURE", "PUBLIC_URL")}
    app.config.update(SECURE=True, PUBLIC_URL="https://console.example")
    try:
        shown = visitor.client.get("/login", base_url="https://localhost")
        cookies = shown.headers.getlist("Set-Cookie")
        assert any(
            c.startswith("__Host-anonymous=")
            and "Secure" in c
            and "HttpOnly" in c
            and "SameSite=Lax" in c
            and "Path=/" in c
            and "Domain" not in c
            for c in cookies
        )
        assert "max-age=63072000" in shown.headers["Strict-Transport-Security"]
    finally:
        app.config.update(kept)


def test_the_session_cookie(app, idp):
    answered = Arrival(Visitor(app), OFFICER).finish()
    cookie = next(c for c in answered.headers.getlist("Set-Cookie") if c.startswith("session="))
    assert (
        "HttpOnly" in cookie
        and "SameSite=Lax" in cookie
        and "Path=/" in cookie
        and "Domain" not in cookie
        and "Max-Age=43200" in cookie
    )


def test_the_token_is_new_at_every_sign_in_and_the_old_one_dead(app, idp, arrive):
    ines = arrive(OFFICER)
    old = ines.client.get_cookie("session").value
    arrive(OFFICER, ines, fresh="1")
    new = ines.client.get_cookie("session").value
    assert old != new
    Visitor(app, old).get("settings/sessions", then=302)
    assert [e.facts["how"] for e in entries_of_action("session.ended")] == [
        "replaced by a new sign-in"
    ]
    assert len([s for s in sessions_of() if s.issuer == idp.issuer]) == 1


def test_a_planted_cookie_is_not_adopted(app, idp, arrive):
    planted = "acme.planted-by-somebody-else"
    victim = Visitor(app, planted)
    arrive(OFFICER, victim)
    assert victim.client.get_cookie("session").value != planted
    Visitor(app, planted).get("settings/sessions", then=302)


def test_two_first_sign_ins_at_once_are_one_person(app, isolated):
    """Rely on the unique key of people: the second sign-in finds what the first created.

    (In one transaction: the retry itself.)
    """
    from governance.foundation.people import sign_in_callback

    tried = []

    def admitted(*args, **named):
        from sqlalchemy.exc import IntegrityError

        tried.append(1)
        if len(tried) == 1:
            raise IntegrityError("INSERT", {}, Exception("duplicate"))
        return "somebody"

    kept, sign_in_callback._admitted = sign_in_callback._admitted, admitted
    try:
        assert (
            sign_in_callback._admit(None, None, None, "token", fresh=False, replaces=None)
            == "somebody"
        )
    finally:
        sign_in_callback._admitted = kept


def test_a_person_with_an_unverified_address_takes_no_invitation(app, isolated):
    stranger = Person("acme-9001", "guest@acme.example", "Guest", (), email_verified=False)
    honest = Person("acme-9002", "guest@acme.example", "Guest", ())
    with make.acting("admin"):
        from governance.foundation.people import invitation_actions

        invitation_actions.invite_member(
            "guest@acme.example",
            "viewer",
            tenant_name="Acme",
            link="http://localhost/login?tenant=acme",
        )
    with HostileIdP.serving(people=(stranger,)) as idp:
        connect_tenant("acme", idp)
        with no_session_starts():
            Arrival(Visitor(app), stranger.email).finish(then=403)
    with HostileIdP.serving(people=(honest,)) as idp:
        connect_tenant("acme", idp)
        Arrival(Visitor(app), honest.email).finish(then=303)
    assert entries_of_action("invitation.accepted")


def test_requests_keep_no_environment(monkeypatch):
    """Ignore proxies and netrc of the host, which could see or change requests to a provider."""
    client = outbound_http.careful(requests.Session())
    assert client.trust_env is False
