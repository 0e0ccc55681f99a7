"""Providers as they answered when we tried them, each with the claims that it sent.

See docs/operating/identity-providers.md.
"""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from governance.demo.idp.directory import Person
from governance.foundation.people import provider_metadata
from governance.kernel import clock
from tests.browser import Visitor
from tests.foundation.people.conftest import (
    Arrival,
    connect_tenant,
    entries_of_action,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import (
    BACK_CHANNEL,
    DISCOVERY,
    Claims,
    HostileIdP,
    change_document,
    forge_token,
    half_hash,
)
from tests.foundation.people.member_helpers import invite_person

ADA = Person("ada", "ada@acme.example", "Ada Lind", ())
SENT_BY_ALL = {"iss", "sub", "aud", "exp", "iat", "nonce", "sid"}


def lemonldap(idp: HostileIdP) -> None:
    """Simulate LemonLDAP::NG 2.21.

    The address is in userinfo only, without its verification; `at_hash`, a list of one audience.
    """
    change_document(
        DISCOVERY,
        authorization_response_iss_parameter_supported=None,
        scopes_supported=["openid", "profile", "email"],
        id_token_signing_alg_values_supported=["none", "HS256", "RS256", "PS256"],
    )(idp)
    idp.answer = lambda honest: {**honest, "session_state": "c3RhdGU=.salt"}
    sends(
        idp,
        SENT_BY_ALL | {"auth_time", "azp"},
        typ="JWT",
        hashes=("at_hash",),
        aud=[idp.client.id],
        acr="loa-1",
    )
    tells(idp, preferred_username="ada")


def glewlwyd(idp: HostileIdP) -> None:
    """Simulate glewlwyd 2.7.

    The address is in the ID token; `auth_time` is always 0; `at_hash` and `c_hash`.
    """
    change_document(
        DISCOVERY,
        authorization_response_iss_parameter_supported=None,
        scopes_supported=["openid"],
        id_token_signing_alg_values_supported=["RS256", "RS384", "RS512", "PS256"],
    )(idp)
    sends(
        idp,
        SENT_BY_ALL | {"email", "name", "azp"},
        typ="JWT",
        hashes=("at_hash", "c_hash"),
        auth_time=0,
        amr=["password"],
    )
    tells(idp)


def oidc_provider(idp: HostileIdP) -> None:
    """Simulate oidc-provider 9.13.

    The address is in userinfo only; `auth_time` comes where `max_age` was sent, which these tests
    do by hand.
    """
    change_document(DISCOVERY, scopes_supported=["openid", "offline_access", "email", "profile"])(
        idp
    )
    sends(idp, SENT_BY_ALL, typ=None, hashes=())
    tells(idp)


PROVIDERS = {
    "LemonLDAP::NG 2.21": lemonldap,
    "glewlwyd 2.7": glewlwyd,
    "oidc-provider 9.13": oidc_provider,
}


def sends(
    idp: HostileIdP, names: set[str], *, typ: str | None, hashes: tuple[str, ...], **more: Any
) -> None:
    """Send ID tokens with these claims of ours and `more`.

    They are signed once the access token and the code are known.
    """
    codes: list[str] = []
    passed_on = idp.answer or (lambda honest: honest)

    def note_code(honest: dict[str, str]) -> dict[str, str]:
        codes.append(honest.get("code", ""))
        return passed_on(honest)

    def sign(told: Claims) -> Claims:
        if "id_token" not in told:
            return told
        honest = idp.idp.provider.keys["RS256"]
        claims = {
            name: value for name, value in claims_of(told["id_token"]).items() if name in names
        } | more
        bound = {"at_hash": told["access_token"], "c_hash": codes[-1]}
        claims |= {name: half_hash(bound[name]) for name in hashes}
        header = {"alg": "RS256", "kid": honest.kid} | ({"typ": typ} if typ else {})
        return told | {"id_token": forge_token(claims, header, honest)}

    idp.answer = note_code
    idp.documents["/token"] = sign


def tells(idp: HostileIdP, **more: Any) -> None:
    """Send userinfo with the address and the name only."""
    idp.documents["/userinfo"] = lambda honest: (
        {name: honest[name] for name in ("sub", "email", "name")} | more
    )


def claims_of(token: str) -> Claims:
    part = token.split(".")[1]
    return dict(json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4))))


@pytest.fixture(params=PROVIDERS)
def known_provider(request: Any, app: Any, isolated: Any) -> Iterator[HostileIdP]:
    with HostileIdP.serving(people=(ADA,)) as idp:
        provider_metadata.forget_metadata()
        connect_tenant("acme", idp, group_roles={})
        invite_person(ADA.email, "admin")
        PROVIDERS[request.param](idp)
        idp.name = request.param
        yield idp


def sign_in_at_provider(
    app: Any, then: int, visitor: Visitor | None = None, **query: str
) -> tuple[Visitor, str]:
    visitor = visitor or Visitor(app)
    return visitor, Arrival(visitor, ADA.email, tenant="acme", **query).finish(then).text


def test_the_first_sign_in_needs_the_switch_and_then_works(app, known_provider):
    with no_session_starts():
        assert (
            "sent no email_verified claim for ada@acme.example" in sign_in_at_provider(app, 403)[1]
        )
    connect_tenant("acme", known_provider, group_roles={}, verifies_addresses=True)
    ada, _ = sign_in_at_provider(app, 303)
    ada.get("settings/sessions")
    assert entries_of_action("membership.started")[-1].facts["via"] == "invitation"


LOGOUT_TOKENS: dict[
    str, tuple[dict[str, str], set[str]]
] = {  # Provider → its header, and what it omits.
    "LemonLDAP::NG 2.21": ({"typ": "JWT"}, {"exp"}),
    "glewlwyd 2.7": ({"typ": "JWT"}, {"exp"}),
    "oidc-provider 9.13": ({"typ": "logout+jwt"}, set()),
}


def test_its_logout_token_ends_the_session_once(app, known_provider):
    connect_tenant("acme", known_provider, group_roles={}, verifies_addresses=True)
    ada, _ = sign_in_at_provider(app, 303)
    sid = next(row.idp_sid for row in sessions_of() if row.issuer == known_provider.issuer)
    header, left_out = LOGOUT_TOKENS[known_provider.name]
    now, key = int(clock.now().timestamp()), known_provider.idp.provider.keys["RS256"]
    claims = {
        "iss": known_provider.issuer,
        "aud": known_provider.client.id,
        "sub": ADA.sub,
        "sid": sid,
        "iat": now,
        "exp": now + 120,
        "jti": "B5GGDNZ8",
        "events": {BACK_CHANNEL: {}},
    }
    token = forge_token(
        {n: v for n, v in claims.items() if n not in left_out},
        {"alg": "RS256", "kid": key.kid, **header},
        key,
    )
    for status in (200, 400):
        assert (
            app.test_client()
            .post("/auth/back-channel/acme", data={"logout_token": token})
            .status_code
            == status
        )
    ada.get("settings/sessions", then=302)


def test_a_step_up_needs_its_auth_time(app, known_provider):
    connect_tenant("acme", known_provider, group_roles={}, verifies_addresses=True)
    ada, _ = sign_in_at_provider(app, 303)
    says: dict[str, Callable[[str], bool]] = {
        "glewlwyd 2.7": lambda page: "sent an auth_time claim that isn&#39;t a time" in page,
        "oidc-provider 9.13": lambda page: (
            "sent no auth_time claim" in page and "add auth_time to the ID token" in page
        ),
    }
    if known_provider.name not in says:
        sign_in_at_provider(app, 303, ada, fresh="1")
        ada.post("settings/members/invite", email="bo@acme.example", role="viewer")
        return
    assert says[known_provider.name](sign_in_at_provider(app, 403, ada, fresh="1")[1])
    ada.get("settings/sessions")  # The session is unchanged.
