"""The demo's identity provider keeps to OpenID Connect: sign-in, sign-out, and rejections."""

import json
import os
import subprocess
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from bs4 import BeautifulSoup
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from governance.demo.idp.directory import PEOPLE, Client, Person
from governance.demo.idp.serving import (
    NotLocal,
    configuration,
    create_idp,
    listen,
    serve,
)
from governance.kernel import clock
from tests.foundation.people.hostile_idp import (
    ATTACKS,
    CALLBACKS,
    CLIENT,
    STEP_UP_ATTACKS,
    HostileIdP,
    form_action,
    half_hash,
    hidden_fields_of,
    sign_in,
)

pytestmark = pytest.mark.slow

OFFICER = "officer@acme.example"
VERIFIER = "v" * 64
BACK = "http://localhost/login"
CALLBACK = CALLBACKS[0]
CLIENTS = (
    Client(
        "console",
        "secret-one",
        (CALLBACK, "http://localhost/cb?x=1"),
        (BACK,),
        "http://localhost/backchannel",
    ),
    Client("other", "secret-two", ("http://localhost/other",), alg="ES256"),
)


@pytest.fixture(scope="module")
def provider() -> Iterator[HostileIdP]:
    with HostileIdP.serving(clients=CLIENTS) as running:
        yield running


@pytest.fixture
def idp(provider: HostileIdP) -> HostileIdP:
    provider.calm()
    provider.logouts.clear()
    return provider


def challenge(verifier: str = VERIFIER) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def url(idp: HostileIdP, **changes: str | None) -> str:
    query = {
        "client_id": "console",
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid email",
        "state": "st",
        "nonce": "no",
        "code_challenge": challenge(),
        "code_challenge_method": "S256",
        **changes,
    }
    return f"{idp.issuer}/authorize?{urlencode({k: v for k, v in query.items() if v is not None})}"


def answered(callback: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(callback).query))


def redeem(
    idp: HostileIdP,
    code: str,
    auth: tuple[str, str] | None = ("console", "secret-one"),
    **changes: str,
):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    return requests.post(f"{idp.issuer}/token", data={**form, **changes}, auth=auth, timeout=60)


def code(idp: HostileIdP, browser: requests.Session | None = None, **changes: str | None) -> str:
    return answered(sign_in(url(idp, **changes), OFFICER, browser))["code"]


def read(idp: HostileIdP, token: str) -> jwt.Token:
    keys = KeySet.import_key_set(requests.get(f"{idp.issuer}/jwks", timeout=60).json())
    return jwt.decode(token, keys, algorithms=["RS256", "ES256"])


def get(address: str, browser: requests.Session | None = None) -> requests.Response:
    return (browser or requests).get(address, allow_redirects=False, timeout=60)


# Sign-in


def test_authlib_signs_in_with_code_and_pkce(idp: HostileIdP) -> None:
    metadata = get(f"{idp.issuer}/.well-known/openid-configuration").json()
    client = OAuth2Session(
        "console",
        "secret-one",
        scope="openid email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    address, state = client.create_authorization_url(
        metadata["authorization_endpoint"], nonce="n1", code_verifier=VERIFIER
    )
    callback = sign_in(address, OFFICER)
    assert answered(callback)["state"] == state and answered(callback)["iss"] == idp.issuer
    token = client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=callback,
        code_verifier=VERIFIER,
        state=state,
    )
    found = read(idp, token["id_token"])
    honest = {
        "iss": idp.issuer,
        "aud": "console",
        "azp": "console",
        "sub": "acme-1002",
        "nonce": "n1",
        "email": OFFICER,
        "email_verified": True,
        "name": "Ines Duarte",
        "groups": ["governance-officers"],
        "amr": ["user"],
    }
    assert honest == {name: found.claims[name] for name in honest}
    assert found.claims["exp"] - found.claims["iat"] == 300 and found.claims["sid"]
    info = client.get(metadata["userinfo_endpoint"]).json()
    assert info["sub"] == "acme-1002" and info["email"] == OFFICER


def test_the_metadata_promise_only_what_is_safe(idp: HostileIdP) -> None:
    metadata = get(f"{idp.issuer}/.well-known/openid-configuration").json()
    assert metadata["issuer"] == idp.issuer
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert not any("d" in key for key in get(metadata["jwks_uri"]).json()["keys"])


def test_es256_and_client_secret_post(idp: HostileIdP) -> None:
    callback = sign_in(url(idp, client_id="other", redirect_uri="http://localhost/other"), OFFICER)
    got = redeem(
        idp,
        answered(callback)["code"],
        None,
        client_id="other",
        client_secret="secret-two",
        redirect_uri="http://localhost/other",
    )
    assert read(idp, got.json()["id_token"]).header["alg"] == "ES256"
    assert got.headers["Cache-Control"] == "no-store"


def test_the_page_lists_everybody_and_a_hint_leaves_one(idp: HostileIdP) -> None:
    page = BeautifulSoup(get(url(idp)).text, "html.parser")
    assert [b.text.strip() for b in page.select("button")][1] == "Ines Duarte — compliance officer"
    assert (
        len(page.select("button[name=email]")) == len(PEOPLE["acme"]) and page.html["lang"] == "en"
    )
    hinted = BeautifulSoup(get(url(idp, login_hint=OFFICER)).text, "html.parser")
    assert [(b.text.strip(), b["value"]) for b in hinted.select("button")] == [
        ("Continue as Ines Duarte", OFFICER)
    ]
    assert "nobody@acme.example" in get(url(idp, login_hint="nobody@acme.example")).text


def test_the_page_has_nothing_inline(idp: HostileIdP) -> None:
    page = get(url(idp))
    assert not BeautifulSoup(page.text, "html.parser").select("script, style, [style]")
    assert "form-action 'self' http://localhost" in page.headers["Content-Security-Policy"]
    assert get(f"{idp.issuer}/idp.css").headers["Content-Type"].startswith("text/css")


def test_hints_are_escaped(idp: HostileIdP) -> None:
    assert "<b>" not in get(url(idp, login_hint="<b>x")).text


# The session of the issuer


def test_a_session_answers_without_a_page_until_a_fresh_sign_in_is_asked(idp: HostileIdP) -> None:
    browser = requests.Session()
    first = read(idp, redeem(idp, code(idp, browser)).json()["id_token"]).claims
    silent = get(url(idp, prompt="none"), browser)
    assert "code" in answered(silent.headers["Location"])
    for asks in (
        {"prompt": "login"},
        {"prompt": "select_account"},
        {"max_age": "0"},
        {"login_hint": "admin@acme.example"},
    ):
        assert get(url(idp, **asks), browser).status_code == 200, asks
    again = read(idp, redeem(idp, code(idp, browser, prompt="login")).json()["id_token"]).claims
    assert again["sid"] == first["sid"] and again["auth_time"] >= first["auth_time"]


def test_max_age_counts_from_the_sign_in(idp: HostileIdP) -> None:
    browser = requests.Session()
    code(idp, browser)
    assert get(url(idp, max_age="60"), browser).is_redirect
    session = idp.idp.provider.sessions.see(browser.cookies["demo_idp_session"])
    assert session is not None
    session.auth_time -= 61
    assert get(url(idp, max_age="60"), browser).status_code == 200


def test_prompt_none_without_a_session_and_going_back(idp: HostileIdP) -> None:
    refused = answered(get(url(idp, prompt="none")).headers["Location"])
    assert (
        refused["error"] == "login_required"
        and refused["state"] == "st"
        and refused["iss"] == idp.issuer
    )
    browser = requests.Session()
    link = BeautifulSoup(get(url(idp), browser).text, "html.parser").a["href"]
    origin = idp.issuer.removesuffix("/acme")
    assert answered(get(origin + link, browser).headers["Location"])["error"] == "access_denied"


def test_another_person_in_the_browser_ends_the_first_session(idp: HostileIdP) -> None:
    browser = requests.Session()
    access = redeem(idp, code(idp, browser)).json()["access_token"]
    sign_in(url(idp, prompt="select_account"), "admin@acme.example", browser)
    assert [uri for uri, _ in idp.logouts] == ["http://localhost/backchannel"]
    assert (
        requests.get(
            f"{idp.issuer}/userinfo", headers={"Authorization": f"Bearer {access}"}, timeout=60
        ).status_code
        == 401
    )


# Refusals


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?a=b"},
        {"redirect_uri": "https://evil.example"},
        {"redirect_uri": "http://localhost/other"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": None},
    ],
)
def test_a_wrong_client_or_address_is_never_redirected(
    idp: HostileIdP, wrong: dict[str, str | None]
) -> None:
    page = get(url(idp, **wrong))
    assert page.status_code == 400 and "Location" not in page.headers


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "id_token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"request": "x.y.z"}, "request_not_supported"),
        ({"id_token_hint": "x.y.z"}, "invalid_request"),
    ],
)
def test_a_wrong_request_goes_back_as_an_error(
    idp: HostileIdP, wrong: dict[str, str | None], error: str
) -> None:
    back = get(url(idp, **wrong))
    assert answered(back.headers["Location"])["error"] == error and back.headers[
        "Location"
    ].startswith(CALLBACK + "?")


def test_doubled_parameters(idp: HostileIdP) -> None:
    assert answered(get(url(idp) + "&state=two").headers["Location"])["error"] == "invalid_request"
    assert get(url(idp) + "&redirect_uri=http://localhost/other").status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 64}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "http://localhost/cb?x=1"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_secret": "secret-one"}, "invalid_request"),
    ],
)
def test_a_wrong_token_request(idp: HostileIdP, changes: dict[str, str], error: str) -> None:
    got = redeem(idp, code(idp), **changes)
    assert (got.status_code, got.json()["error"]) == (400, error)


@pytest.mark.parametrize(
    "auth", [("console", "wrong"), ("console", ""), ("nobody", "secret-one"), None]
)
def test_a_wrong_secret(idp: HostileIdP, auth: tuple[str, str] | None) -> None:
    got = redeem(idp, code(idp), auth)
    assert (
        got.status_code == 401
        and got.json()["error"] == "invalid_client"
        and "WWW-Authenticate" in got.headers
    )


def test_a_code_is_spent_by_a_wrong_verifier_but_not_by_another_client(idp: HostileIdP) -> None:
    fresh = code(idp)
    assert redeem(idp, fresh, ("other", "secret-two")).json()["error"] == "invalid_grant"
    assert redeem(idp, fresh).status_code == 200
    fresh = code(idp)
    redeem(idp, fresh, code_verifier="w" * 64)
    assert redeem(idp, fresh).json()["error"] == "invalid_grant"


def test_a_reused_code_revokes_what_it_gave(idp: HostileIdP) -> None:
    fresh = code(idp)
    bearer = {"Authorization": f"Bearer {redeem(idp, fresh).json()['access_token']}"}
    assert requests.get(f"{idp.issuer}/userinfo", headers=bearer, timeout=60).status_code == 200
    assert redeem(idp, fresh).json()["error"] == "invalid_grant"
    assert requests.get(f"{idp.issuer}/userinfo", headers=bearer, timeout=60).status_code == 401


def test_a_code_lives_sixty_seconds(idp: HostileIdP) -> None:
    fresh = code(idp)
    form = {
        "grant_type": "authorization_code",
        "code": fresh,
        "redirect_uri": CALLBACK,
        "code_verifier": VERIFIER,
    }
    origin = idp.issuer.removesuffix("/acme")
    with clock.frozen(clock.now() + timedelta(seconds=61)):
        late = idp.idp.test_client().post(
            "/acme/token", data=form, auth=("console", "secret-one"), base_url=origin
        )
    assert late.status_code == 400 and late.json["error"] == "invalid_grant"


def test_a_person_of_another_issuer_does_not_exist(idp: HostileIdP) -> None:
    browser = requests.Session()
    page = get(url(idp), browser)
    refused = browser.post(
        form_action(page),
        data={**hidden_fields_of(page), "email": "admin@globex.example"},
        allow_redirects=False,
        timeout=60,
    )
    assert refused.status_code == 403 and "No account has this address" in refused.text
    assert len({person.sub for people in PEOPLE.values() for person in people}) == sum(
        map(len, PEOPLE.values())
    )


def test_the_form_is_bound_to_its_browser_and_site_and_answers_once(idp: HostileIdP) -> None:
    browser, stranger = requests.Session(), requests.Session()
    page = get(url(idp), browser)
    get(url(idp), stranger)
    form = {**hidden_fields_of(page), "email": OFFICER}
    for who, data, headers in [
        (stranger, form, {}),
        (requests.Session(), form, {}),
        (browser, {"email": OFFICER}, {}),
        (browser, form, {"Origin": "https://evil.example"}),
    ]:
        refused = who.post(
            form_action(page), data=data, headers=headers, allow_redirects=False, timeout=60
        )
        assert refused.status_code == 403
    assert browser.post(form_action(page), data=form, allow_redirects=False, timeout=60).is_redirect
    assert (
        browser.post(form_action(page), data=form, allow_redirects=False, timeout=60).status_code
        == 403
    )


def test_a_password_is_asked_and_checked() -> None:
    with HostileIdP.serving(
        people=[Person("1", "a@acme.example", "A", password="right")], clients=CLIENTS
    ) as idp:
        browser = requests.Session()
        page = get(url(idp, login_hint="a@acme.example"), browser)
        assert 'type="password"' in page.text
        data = {**hidden_fields_of(page), "email": "a@acme.example"}
        wrong = browser.post(
            form_action(page), data={**data, "password": "wrong"}, allow_redirects=False, timeout=60
        )
        assert wrong.status_code == 403
        assert "code" in answered(sign_in(url(idp), "a@acme.example", password="right"))


def test_a_rebound_host_name_is_not_answered(idp: HostileIdP) -> None:
    got = requests.get(f"{idp.issuer}/jwks", headers={"Host": "evil.example"}, timeout=60)
    assert got.status_code == 421


# Sign-out


def test_logout_with_the_id_token_ends_the_session_and_tells_the_client(idp: HostileIdP) -> None:
    browser = requests.Session()
    token = redeem(idp, code(idp, browser)).json()["id_token"]
    query = urlencode({"id_token_hint": token, "post_logout_redirect_uri": BACK, "state": "bye"})
    out = get(f"{idp.issuer}/logout?{query}", browser)
    assert out.headers["Location"] == f"{BACK}?state=bye"
    assert (
        answered(get(url(idp, prompt="none"), browser).headers["Location"])["error"]
        == "login_required"
    )
    [(uri, logout_token)] = idp.logouts
    found = read(idp, logout_token)
    assert uri == "http://localhost/backchannel" and found.header["typ"] == "logout+jwt"
    assert found.claims["sid"] == read(idp, token).claims["sid"] and "nonce" not in found.claims
    assert found.claims["exp"] - found.claims["iat"] == 120 and found.claims["aud"] == "console"
    assert list(found.claims["events"]) == ["http://schemas.openid.net/event/backchannel-logout"]


def test_logout_without_proof_asks_first(idp: HostileIdP) -> None:
    browser = requests.Session()
    code(idp, browser)
    page = get(f"{idp.issuer}/logout", browser)
    assert page.status_code == 200 and "Sign out Ines Duarte?" in page.text and not idp.logouts
    assert (
        requests.post(form_action(page), data=hidden_fields_of(page), timeout=60).status_code == 403
    )
    assert (
        "You are signed out"
        in browser.post(form_action(page), data=hidden_fields_of(page), timeout=60).text
    )
    assert len(idp.logouts) == 1


@pytest.mark.parametrize("uri", ["https://evil.example", BACK + "/", CALLBACK])
def test_logout_is_no_open_redirect(idp: HostileIdP, uri: str) -> None:
    token = redeem(idp, code(idp)).json()["id_token"]
    for query in ({"id_token_hint": token}, {"client_id": "console"}, {"client_id": "other"}, {}):
        out = get(f"{idp.issuer}/logout?{urlencode({**query, 'post_logout_redirect_uri': uri})}")
        assert out.status_code == 400 and "Location" not in out.headers
    assert get(f"{idp.issuer}/logout?id_token_hint=x.y.z").status_code == 400


def test_the_issuer_can_end_all_sessions_of_a_person(idp: HostileIdP) -> None:
    idp.end_all(OFFICER)
    idp.logouts.clear()
    browser = requests.Session()
    code(idp, browser)
    assert idp.end_all(OFFICER) == 1 and len(idp.logouts) == 1
    assert get(url(idp), browser).status_code == 200


def test_a_client_that_is_away_does_not_hold_up_the_logout() -> None:
    away = Client("console", "s", (CALLBACK,), (), "http://127.0.0.1:9/backchannel")
    app = create_idp("http://127.0.0.1:1/acme", PEOPLE["acme"], [away])
    _, session = app.provider.sign_in(PEOPLE["acme"][0], None)
    session.clients.add("console")
    app.provider.end(session)
    assert session.ended


# Keys, issuers, serving


def test_rotated_keys_keep_old_tokens_readable_or_not(idp: HostileIdP) -> None:
    token = redeem(idp, code(idp)).json()["id_token"]
    idp.rotate_keys()
    assert (
        read(idp, token).header["kid"]
        != read(idp, redeem(idp, code(idp)).json()["id_token"]).header["kid"]
    )
    idp.rotate_keys(keep=False)
    with pytest.raises(InvalidKeyIdError):
        read(idp, token)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost", "192.0.2.1", ""])
def test_only_loopback_is_bound(host: str) -> None:
    with pytest.raises(NotLocal):
        listen(host)


@pytest.mark.parametrize(
    "public", ["https://console.example", "http://127.0.0.1.evil.example", "console.example"]
)
def test_it_does_not_start_beside_a_public_console(
    monkeypatch: pytest.MonkeyPatch, public: str
) -> None:
    monkeypatch.setenv("GOVERNANCE_PUBLIC_URL", public)
    with pytest.raises(NotLocal):
        listen()
    with pytest.raises(NotLocal):
        create_idp("http://127.0.0.1:1/acme", [], [])


def test_an_issuer_elsewhere_is_refused() -> None:
    with pytest.raises(NotLocal):
        create_idp("https://idp.example/acme", [], [])


def test_the_command_serves_every_issuer_apart(tmp_path) -> None:
    config = tmp_path / "idp.json"
    config.write_text(json.dumps(configuration(dict.fromkeys(PEOPLE, CLIENTS))))
    child = subprocess.Popen(
        [sys.executable, "-m", "governance.demo.idp", "--config", str(config), "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        base = child.stdout.readline().strip()
        keys = {name: get(f"{base}/{name}/jwks").json()["keys"][0]["kid"] for name in PEOPLE}
        assert len(set(keys.values())) == 4
        page = get(f"{base}/globex/authorize?" + urlsplit(url_at(base, "globex")).query).text
        assert "Priya Nair" in page and "Ines Duarte" not in page
        assert get(f"{base}/nobody/jwks").status_code == 404
    finally:
        child.terminate()
        child.wait(60)


def url_at(base: str, name: str) -> str:
    return url(type("At", (), {"issuer": f"{base}/{name}"}))


def test_the_command_says_why_it_does_not_start(tmp_path) -> None:
    config = tmp_path / "idp.json"
    config.write_text("{}")
    done = subprocess.run(
        [sys.executable, "-m", "governance.demo.idp", "--config", str(config)],
        capture_output=True,
        text=True,
        env={**os.environ, "GOVERNANCE_PUBLIC_URL": "https://console.example"},
        check=False,
    )
    assert done.returncode == 2 and "https://console.example" in done.stderr


def test_serve_closes() -> None:
    serving = serve(create_idp("http://127.0.0.1:1/acme", [], []))
    serving.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(serving.base, timeout=2)


# The hostile harness itself


@pytest.mark.parametrize(
    "attack", [name for name in [*ATTACKS, *STEP_UP_ATTACKS] if "refuses" not in name]
)
def test_every_attack_changes_what_the_client_gets(attack: str) -> None:
    with HostileIdP.serving(clients=(CLIENT,)) as idp:
        honest = seen(idp)
        {**ATTACKS, **STEP_UP_ATTACKS}[attack](idp)
        assert seen(idp) != honest


def seen(idp: HostileIdP) -> object:
    """Return everything that a client sees in a sign-in, without values that always differ."""
    if idp.down:
        return get(f"{idp.issuer}/jwks").status_code
    callback = answered(sign_in(url(idp, client_id=CLIENT.id, max_age="300"), OFFICER))
    metadata = get(f"{idp.issuer}/.well-known/openid-configuration").json()
    if "code" not in callback:
        return callback
    token = redeem(idp, callback.pop("code"), (CLIENT.id, CLIENT.secret)).json()
    info = requests.get(
        f"{idp.issuer}/userinfo",
        headers={"Authorization": f"Bearer {token['access_token']}"},
        timeout=60,
    ).json()
    parts = token.get("id_token", "..").split(".")
    claims = claims_of(parts[1])
    bound = claims.pop("at_hash", None) == half_hash(token["access_token"])
    return callback, metadata, info, parts[0], claims, bound, verifies(idp, token.get("id_token"))


def claims_of(part: str) -> dict[str, object]:
    found = json.loads(urlsafe_b64decode(part + "==") or b"{}")
    found.pop("sid", None)
    return {
        k: v // 60 if isinstance(v, int) and not isinstance(v, bool) else v
        for k, v in found.items()
    }


def verifies(idp: HostileIdP, token: str | None) -> bool:
    try:
        return token is not None and bool(read(idp, token))
    except Exception:
        return False


def test_a_slow_provider(idp: HostileIdP) -> None:
    idp.delay = 0.5
    with pytest.raises(requests.Timeout):
        requests.get(f"{idp.issuer}/jwks", timeout=0.1)


def test_parameters_already_in_a_registered_address_stay(idp: HostileIdP) -> None:
    callback = sign_in(url(idp, redirect_uri="http://localhost/cb?x=1"), OFFICER)
    assert parse_qs(urlsplit(callback).query)["x"] == ["1"]
