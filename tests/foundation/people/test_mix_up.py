"""Mix-up: a hostile provider sends a victim's browser to the victim's own provider.

See RFC 9700 §4.4.
"""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from governance.foundation.people import provider_metadata
from tests.browser import Visitor
from tests.foundation.people.conftest import connect_tenant, no_session_starts
from tests.foundation.people.hostile_idp import (
    DISCOVERY,
    HostileIdP,
    change_answer,
    change_document,
    sign_in,
)

OFFICER = "officer@acme.example"


class Thief(HostileIdP):
    """A hostile tenant's provider, which stores every sign-in code that its token endpoint gets."""

    codes: list[str]

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/token"):
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            self.codes.append(dict(parse_qsl(body.decode()))["code"])
            environ["wsgi.input"] = BytesIO(body)
        return super().__call__(environ, start)


@pytest.fixture
def thief(database) -> Iterator[Thief]:
    with Thief.serving("globex") as running:
        running.codes = []
        names_nobody(running)
        connect_tenant("globex", running)
        yield running


@pytest.fixture
def acme(idp) -> HostileIdP:
    """Yield Acme's honest provider. Like many, its answer doesn't name the issuer."""
    names_nobody(idp)
    provider_metadata.forget_metadata()
    return idp


def names_nobody(idp: HostileIdP) -> None:
    change_answer(iss=None)(idp)
    change_document(DISCOVERY, authorization_response_iss_parameter_supported=None)(idp)


def started(visitor: Visitor, tenant: str) -> tuple[str, dict[str, str]]:
    """Start a sign-in in this browser. Return (address, query) at the provider."""
    asked = urlsplit(visitor.get(f"/login?tenant={tenant}", then=302).location)
    return asked._replace(query="").geturl(), dict(parse_qsl(asked.query))


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}"


def test_a_code_of_one_tenants_provider_is_never_handed_to_another_tenants(app, acme, thief):
    """Protect a victim led by Globex through a sign-in that the attacker started at Acme."""
    attacker, victim = Visitor(app), Visitor(app)
    acme_authorizes, attackers = started(attacker, "acme")
    _, victims = started(victim, "globex")
    bent = f"{acme_authorizes}?{urlencode({**attackers, 'state': victims['state']})}"
    with no_session_starts("acme"), no_session_starts("globex"):
        refused = victim.get(path_of(sign_in(bent, OFFICER)), then=403)
        stolen = {"code": thief.codes[0] if thief.codes else "none", "state": attackers["state"]}
        attacker.get(f"{urlsplit(attackers['redirect_uri']).path}?{urlencode(stolen)}", then=403)
        attacker.get("/t/acme/settings/sessions", then=302)
    assert thief.codes == []
    assert "another tenant" in refused.text


def test_each_provider_that_says_nothing_of_itself_still_signs_in_its_own(app, acme, thief):
    for tenant, email in (("acme", OFFICER), ("globex", "officer@globex.example")):
        visitor = Visitor(app, tenant=tenant)
        authorizes, query = started(visitor, tenant)
        visitor.get(path_of(sign_in(f"{authorizes}?{urlencode(query)}", email)), then=303)
        visitor.get("settings/sessions")
    assert len(thief.codes) == 1


def test_every_tenants_provider_is_given_an_address_of_its_own(app, acme, thief):
    for tenant in ("acme", "globex"):
        assert (
            started(Visitor(app), tenant)[1]["redirect_uri"]
            == f"http://localhost/auth/callback/{tenant}"
        )


def test_the_address_that_all_tenants_shared_says_what_to_change_at_the_provider(app, acme):
    _, query = started(visitor := Visitor(app), "acme")
    page = visitor.get(
        f"/auth/callback?{urlencode({'code': 'x', 'state': query['state']})}", then=410
    ).text
    assert "http://localhost/auth/callback/acme" in page and "redirect" in page
    for state in ("", "acme", "<b>.x", "nobody.x", "\u00e9.x", "a" * 400):
        page = visitor.get(f"/auth/callback?{urlencode({'state': state})}", then=410).text
        assert "http://localhost/auth/callback/" in page and "<b>" not in page


@pytest.mark.parametrize("slug", ["globex", "nobody", "ACME", "acme%2F", "a" * 300])
def test_an_answer_at_another_address_reaches_no_provider(app, acme, slug):
    visitor = Visitor(app)
    authorizes, query = started(visitor, "acme")
    given = urlsplit(sign_in(f"{authorizes}?{urlencode(query)}", OFFICER)).query
    before = len(acme.calls)
    with no_session_starts():
        assert visitor.get(f"/auth/callback/{slug}?{given}", then=None).status_code in {403, 404}
    assert len(acme.calls) == before
