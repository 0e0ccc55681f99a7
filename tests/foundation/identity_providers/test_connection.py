"""A tenant's identity provider: proposed, tested, rejected; its secret is never shown again."""

from datetime import timedelta
from itertools import chain, repeat

import pytest
from sqlalchemy import select

from governance.foundation.people import provider_http, provider_metadata
from governance.foundation.people.models import Connection
from governance.kernel.data.db import session
from governance.kernel.safety import outbound_http as wire
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import (
    GROUPS,
    connect_tenant,
    entries_of_action,
    hidden_fields,
)
from tests.foundation.people.hostile_idp import EVIL, HostileIdP, change_document

SECRET = "a-secret-that-nobody-shall-see"


def connections_in_state(slug: str = "acme", state: str = "live") -> Connection:
    with make.acting("admin", slug, read_only=True):
        found = session().scalars(select(Connection).where(Connection.state == state)).one()
        session().expunge(found)
        return found


def filled_form(as_admin, idp: HostileIdP, **changes) -> dict:
    """Return a filled form as it is sent, with what it was opened with."""
    opened = hidden_fields(as_admin.get("settings/sign-in/change").text)["seen"]
    return {
        "issuer": idp.issuer,
        "client_id": idp.client.id,
        "secret": SECRET,
        "domains": "acme.example",
        "group_roles": "officers = compliance_officer",
        "enforced": "y",
        "reason": "A new directory",
        "seen": opened,
    } | changes


def propose_settings(as_admin, idp: HostileIdP, then: int = 303, **changes):
    return as_admin.post(
        "settings/sign-in/change", then=then, **filled_form(as_admin, idp, **changes)
    )


def test_a_first_connection_is_proposed_like_any_other(as_admin, provider):
    assert "No one can sign in yet" in as_admin.get("settings/sign-in").text
    assert "Enter the client secret." in propose_settings(as_admin, provider, 422, secret="").text
    propose_settings(as_admin, provider)
    assert "No one can sign in yet" in as_admin.get("settings/sign-in").text
    assert connections_in_state(state="proposed").issuer == provider.issuer
    assert entries_of_action("identity_provider.change.requested")[-1].facts["secret"] == "set"


def test_a_proposal_leaves_the_live_connection_as_it_is(as_admin, idp, arrive):
    """Keep the live connection (B8): with a wrong secret nobody could sign in any more."""
    before = connections_in_state()
    propose_settings(as_admin, idp, secret="not-the-one", group_roles="officers = viewer")
    after = connections_in_state()
    assert [getattr(after, n) for n in ("id", "issuer", "secret", "group_roles")] == [
        before.id,
        before.issuer,
        before.secret,
        before.group_roles,
    ]
    arrive("officer@acme.example").get("settings/sessions")


def test_the_secret_is_nowhere_again(as_admin, idp):
    propose_settings(as_admin, idp)
    shown = [
        as_admin.get("settings/sign-in").text,
        propose_settings(as_admin, idp, 422, issuer="x").text,
    ]
    as_admin.post("settings/sign-in/test")
    shown += [
        as_admin.get("settings/sign-in").text,
        str([(e.body, e.facts, e.changes, e.sealed) for e in entries_of_action()]),
    ]
    assert not any(SECRET in text for text in shown)
    assert SECRET.encode() not in connections_in_state(state="proposed").secret


def test_a_blank_secret_keeps_the_one_that_is_stored(as_admin, idp):
    propose_settings(as_admin, idp, secret="", group_roles="governance-officers = viewer")
    assert connections_in_state(state="proposed").secret == connections_in_state().secret
    assert "secret" not in entries_of_action("identity_provider.change.requested")[-1].facts


def test_a_stored_secret_does_not_travel_to_another_issuer(as_admin, idp):
    with HostileIdP.serving("globex") as other:
        page = propose_settings(as_admin, idp, 422, secret="", issuer=other.issuer).text
    assert "Enter the client secret of this issuer and client." in page and not entries_of_action(
        "identity_provider.change.requested"
    )


@pytest.mark.parametrize(
    "issuer",
    [
        "http://id.example",
        "https://127.0.0.1",
        "https://localhost/x",
        "https://10.0.0.5",
        "https://169.254.169.254/latest",
        "https://[::1]/",
        "ftp://id.example",
        "javascript:alert(1)",
        "https://user:pw@id.example",
        "file:///etc/passwd",
        "https://no-such-name.invalid",
        "https://[",
        "",
    ],
)
def test_an_issuer_inside_or_without_tls_is_a_field_that_says_so(as_admin, idp, issuer):
    page = propose_settings(as_admin, idp, 422, issuer=issuer).text
    assert "issuer-error" in page and not entries_of_action("identity_provider.change.requested")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("officers", "Write line 1 as"),
        ("a = viewer\n= admin", "Write line 2 as"),
        ("a = operator_admin", "give the role operator_admin"),
        ("a = auditor", "give the role auditor"),
        ("a = boss", "give the role boss"),
    ],
)
def test_groups_give_only_roles_of_a_tenant(as_admin, idp, lines, says):
    page = propose_settings(as_admin, idp, 422, group_roles=lines).text
    assert says in page and lines.split("\n")[0] in page


def test_a_domain_of_another_tenant_is_refused(as_admin, idp):
    with HostileIdP.serving("globex") as theirs:
        connect_tenant("globex", theirs)
        page = propose_settings(as_admin, idp, 422, domains="acme.example globex.example").text
    assert "globex.example already belongs to another tenant" in page
    assert (
        not entries_of_action("identity_provider.change.requested")
        and not entries_of_action("tenant.domains.changed")[1:]
    )


def test_what_changes_nothing_is_refused(as_admin, idp):
    lines = "\n".join(f"{group} = {role}" for group, role in GROUPS.items())
    assert (
        "Nothing changes" in propose_settings(as_admin, idp, 422, secret="", group_roles=lines).text
    )


def test_a_change_without_a_reason_is_refused(as_admin, idp):
    assert "reason-error" in propose_settings(as_admin, idp, 422, reason=" ").text


def test_a_stale_form_shows_what_changed_and_keeps_what_was_typed(app, as_admin, idp):
    opened = filled_form(as_admin, idp, client_id="mine")
    propose_settings(Visitor(app, make.cookie("admin")), idp, client_id="theirs")
    page = as_admin.post("settings/sign-in/change", then=409, **opened).text
    assert "Someone else changed or proposed something" in page and "and the current values" in page
    assert ">theirs<" in page and 'value="mine"' in page
    assert connections_in_state(state="proposed").client_id == "theirs"
    as_admin.post("settings/sign-in/change", **opened | {"seen": hidden_fields(page)["seen"]})
    assert connections_in_state(state="proposed").client_id == "mine"
    assert [e.action for e in entries_of_action()][-3:] == [
        "identity_provider.change.replaced",
        "identity_provider.change.requested",
        "identity_provider.tested",
    ]


@pytest.mark.parametrize("seen", ["", "x", "-1", "9" * 50, None])
def test_a_form_that_does_not_say_what_it_was_opened_with_is_stale(as_admin, idp, seen):
    propose_settings(as_admin, idp, 409, seen=seen)
    assert not entries_of_action("identity_provider.change.requested")


def test_the_form_takes_a_fresh_sign_in_before_it_opens(app, idp):
    """Require the sign-in first, so that nobody loses a filled form."""
    stale = Visitor(app, make.cookie("admin", signed_in_ago=timedelta(minutes=6)))
    assert "Sign in again" in stale.get("settings/sign-in/change", then=401).text
    stale.get("settings/sign-in")


# ---- testing the connection


def findings(as_admin) -> dict[str, tuple[bool, str]]:
    as_admin.post("settings/sign-in/test")
    page = as_admin.get("settings/sign-in").text
    assert "without a sign-in" in page
    works = all(step["ok"] or step.get("optional") for step in connections_in_state().findings)
    assert (
        "Meridian can reach the provider." in page,
        "The connection doesn't work yet." in page,
    ) == (
        works,
        not works,
    )
    return {step["says"]: (step["ok"], step["detail"]) for step in connections_in_state().findings}


def test_a_good_connection_passes_every_step(as_admin, idp):
    steps = findings(as_admin)
    assert len(steps) == 5 and all(ok for ok, _ in steps.values())
    assert entries_of_action("identity_provider.tested")[-1].facts == {"passed": 5, "failed": 0}


def test_a_wrong_secret_is_found(as_admin, idp):
    connect_tenant("acme", idp, secret="not-the-one")
    ok, detail = findings(as_admin)["Client ID and secret"]
    assert not ok and "rejected the client ID or secret" in detail


def test_a_wrong_issuer_is_found(as_admin, idp):
    change_document("/openid-configuration", issuer=EVIL)(idp)
    ok, detail = findings(as_admin)["Discovery document"]
    assert not ok and f"names the issuer {EVIL}" in detail


@pytest.mark.parametrize(
    ("attack", "says"),
    [("down", "answered with status 503"), ("refuses connections", "reach the identity provider")],
)
def test_a_provider_that_is_away_is_found(app, as_admin, isolated, attack, says):
    with HostileIdP.serving() as idp:
        connect_tenant("acme", idp)
        idp.attack(attack)
        ok, detail = findings(as_admin)["Discovery document"]
    assert not ok and says in detail


def test_a_provider_of_unsafe_algorithms_is_found(as_admin, idp):
    change_document(
        "/openid-configuration", id_token_signing_alg_values_supported=["none", "HS256"]
    )(idp)
    assert findings(as_admin)["Signing algorithm"] == (
        False,
        "None that Meridian accepts: RS256, PS256, ES256, EdDSA.",
    )


@pytest.mark.parametrize("suffix", ["/openid-configuration", "/jwks", "/token"])
@pytest.mark.parametrize("answer", [[], "text", None, {}])
def test_nonsense_is_found_and_is_no_fault(as_admin, idp, suffix, answer):
    idp.documents[suffix] = lambda _: answer
    assert not all(ok for ok, _ in findings(as_admin).values()) or (suffix == "/token")
    idp.calm()


def test_there_is_nothing_to_test_before_the_first_connection(as_admin):
    as_admin.post("settings/sign-in/test", then=404)


# ---- outbound calls


def test_a_name_that_leads_inside_is_not_called(monkeypatch):
    """Reject it before a byte is sent, although the check of the name passed (rebinding)."""
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.5)
    port = listening.getsockname()[1]
    public = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
    answers = chain([public], repeat(inside))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_of, **_named: next(answers))
    with pytest.raises(provider_http.ProviderFault):
        provider_http.ask(f"https://localhost:{port}/", "a test")
    accepted, _ = listening.accept()
    accepted.settimeout(0.5)
    assert accepted.recv(10) == b""
    listening.close()


def test_too_long_an_answer_is_not_read(idp, monkeypatch):
    monkeypatch.setattr(wire, "MAX_RESPONSE_BYTES", 100)
    with pytest.raises(provider_http.ProviderFault):
        provider_metadata.discover(idp.issuer)


def test_an_answer_that_drips_is_not_waited_for(idp, monkeypatch):
    monkeypatch.setattr(wire, "TOTAL_SECONDS", -1)
    with pytest.raises(provider_http.ProviderFault, match="in time"):
        provider_metadata.discover(idp.issuer)


def test_outside_the_demo_loopback_is_no_address(monkeypatch):
    monkeypatch.delenv("GOVERNANCE_DEMO")
    for url in ("http://127.0.0.1:4400/acme", "http://localhost/"):
        with pytest.raises(provider_http.ProviderFault):
            provider_http.safe_url(url)
