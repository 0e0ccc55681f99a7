"""Forms that need a fresh sign-in: stored encrypted, shown again, and submitted once.

They keep the values that were sent.
"""

import json
import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, text, update

from governance.foundation.people import (
    invitation_actions,
    queries,
    saved_forms,
    session_actions,
    sign_in_state,
)
from governance.foundation.people.models import Connection, Invitation, SavedForm
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.safety import key_encryption
from tests import make, step_up_helpers
from tests.browser import Visitor
from tests.foundation.identity_providers.sign_in_change_helpers import proposal_form
from tests.foundation.people.conftest import Arrival, entries_of_action, sessions_of
from tests.step_up_helpers import (
    kept_form_facts,
    newest_kept_form_page,
    submit_kept_form,
    visitor_needing_step_up,
)
from tests.waiting import MAX_WAIT_SECONDS

ADMIN, NEW = "admin@acme.example", "new.colleague@acme.example"
INVITE = "settings/members/invite"


def age_sessions(minutes: int = 10) -> None:
    """Set the start of every session at acme that far back."""
    with make.acting("admin"):
        session().execute(
            text(
                "UPDATE sessions SET authenticated_at = authenticated_at - make_interval(mins"
                " => :n)"
            ),
            {"n": minutes},
        )


def provider_link(visitor: Visitor, asked: Any) -> str:
    """Follow the page's own button. Return its target at the provider."""
    link = BeautifulSoup(asked.text, "html.parser").select_one("main a.btn-primary")
    assert link, asked.text
    return str(
        visitor.client.get(str(link["href"]), headers={"Sec-Fetch-Site": "same-origin"}).location
    )


def sign_in_again(visitor: Visitor, asked: Any, email: str = ADMIN) -> str:
    """Sign in at the provider as the page requests, and return the address that follows."""
    return str(Arrival(visitor, email, asked=provider_link(visitor, asked)).finish().location)


def invitations() -> list[tuple[str, str]]:
    with make.acting("admin", read_only=True):
        return [tuple(row) for row in session().execute(select(Invitation.email, Invitation.role))]


@pytest.fixture
def boss(app, isolated) -> Visitor:
    """Return acme's admin with a ten-minute-old sign-in, whose invitation form is stored."""
    visitor = visitor_needing_step_up(app, "admin")
    visitor.post(INVITE, then=401, email=NEW, role="contributor")
    return visitor


@pytest.fixture
def fresh_boss(boss) -> Visitor:
    """Return the same admin, signed in again."""
    step_up_helpers.sign_in_again(boss, "admin")
    return boss


# ---- through the front door


def test_an_invitation_keeps_its_role_through_a_fresh_sign_in(app, idp, arrive):
    boss = arrive(ADMIN)
    age_sessions()
    asked = boss.post(INVITE, then=401, email=NEW, role="contributor")
    assert (
        "Invite member" in asked.text and "Meridian keeps your form for 15 minutes." in asked.text
    )
    shown = boss.get(sign_in_again(boss, asked))
    assert (
        kept_form_facts(shown) == {"Work email": NEW, "Role": "Contributor"} and invitations() == []
    )
    assert submit_kept_form(boss, shown).location == "/t/acme/settings/members"
    assert invitations() == [(NEW, "contributor")]
    assert [e.facts["role"] for e in entries_of_action("invitation.sent")] == ["contributor"]


def test_a_secret_is_submitted_and_never_shown_or_stored_in_clear(app, idp, arrive):
    boss = arrive(ADMIN)
    sent = proposal_form(boss, idp, client_id="another-client", secret="correct-horse-battery")
    age_sessions()
    shown = boss.get(sign_in_again(boss, boss.post("settings/sign-in/change", then=401, **sent)))
    assert (
        kept_form_facts(shown)["Client secret"] == "Saved, not shown"
        and "correct-horse" not in shown.text
    )
    [row] = step_up_helpers.saved_forms()
    assert not [
        word
        for word in (b"correct-horse", b"another-client", b"/settings/sign-in")
        if word in row.content + row.key
    ]
    submit_kept_form(boss, shown)
    with make.acting("admin", read_only=True):
        kept = session().scalars(select(Connection).where(Connection.state == "proposed")).one()
        assert (kept.client_id, sign_in_state.oidc_client(kept, "x").secret) == (
            "another-client",
            "correct-horse-battery",
        )


def test_a_form_that_is_refused_comes_back_filled_in_and_stays_kept(fresh_boss):
    with make.acting("admin"):
        invitation_actions.invite_member(
            NEW, "viewer", tenant_name="Acme", link="http://localhost/login"
        )
    shown = fresh_boss.get(newest_kept_form_page())
    refused = submit_kept_form(fresh_boss, shown, then=422)
    page = BeautifulSoup(refused.text, "html.parser")
    assert (
        page.select_one("input[name=email]")["value"] == NEW
        and "This address already has an open invitation." in refused.text
    )
    assert page.select_one("select[name=role] option[selected]")["value"] == "contributor"
    with make.acting("admin"):
        invitation_actions.withdraw_invitation(queries.open_invitations()[0])
    submit_kept_form(fresh_boss, fresh_boss.get(newest_kept_form_page()))
    assert (NEW, "contributor") in invitations()


def test_a_page_that_needs_a_fresh_sign_in_opens_after_it_with_its_query(app, idp, arrive):
    boss = arrive(ADMIN)
    age_sessions()
    asked = boss.get("audit/anchors/new?kind=webhook", then=401)
    assert "It opens after you sign in." in asked.text and step_up_helpers.saved_forms() == []
    assert "Signing secret" in boss.get(sign_in_again(boss, asked)).text


def test_operators_keep_their_forms_too(app, isolated):
    eva = visitor_needing_step_up(app, "operator_admin", "console")
    eva.post("/operator/tenants/", then=401, slug="initech", name="Initech")
    step_up_helpers.sign_in_again(eva, "operator_admin", "console")
    shown = eva.get(newest_kept_form_page("console"))
    assert kept_form_facts(shown) == {"Slug": "initech", "Name": "Initech"}
    assert submit_kept_form(eva, shown).location == "/operator/tenants/initech/first-admin"
    assert directory.tenant_id("initech")


def test_what_ends_somebodys_access_names_them_and_says_so(app, isolated):
    boss = visitor_needing_step_up(app, "admin")
    with make.acting("admin", read_only=True):
        member = queries.membership_of(make.person_id("viewer"))
        assert member
        path = f"settings/members/{member.id}/remove"
    boss.post(path, then=401)
    step_up_helpers.sign_in_again(boss, "admin")
    shown = boss.get(newest_kept_form_page())
    assert kept_form_facts(shown) == {"Member": "Maya Okafor", "Email": "viewer@acme.example"}
    assert "all their sessions end" in shown.text and "btn-stop" in shown.text
    submit_kept_form(boss, shown)
    with make.acting("admin", read_only=True):
        assert queries.membership_of(make.person_id("viewer")) is None


# ---- interruptions


def test_who_cancels_at_the_provider_reads_that_the_form_waits_and_can_go_on(app, idp, arrive):
    boss = arrive(ADMIN)
    age_sessions()
    asked = boss.post(INVITE, then=401, email=NEW, role="contributor")
    state = dict(p.split("=") for p in provider_link(boss, asked).partition("?")[2].split("&"))[
        "state"
    ]
    cancelled = boss.get(
        f"/auth/callback/acme?error=access_denied&state={state}&iss={idp.issuer}", then=403
    )
    assert (
        "Your form wasn&#39;t submitted." in cancelled.text
        and f'href="{newest_kept_form_page()}"' in cancelled.text
    )
    waits = boss.get(newest_kept_form_page())
    assert "Sign in again" in waits.text and not BeautifulSoup(waits.text, "html.parser").select(
        "main form"
    )
    submit_kept_form(boss, boss.get(sign_in_again(boss, waits)))
    assert invitations() == [(NEW, "contributor")]


def test_a_sign_in_as_somebody_else_leaves_the_form_where_it_was(app, idp, arrive):
    boss = arrive(ADMIN)
    age_sessions()
    asked = boss.post(INVITE, then=401, email=NEW, role="contributor")
    refused = Arrival(boss, "officer@acme.example", asked=provider_link(boss, asked)).finish(
        then=403
    )
    assert (
        "You signed in as a different person" in refused.text
        and "Your form wasn&#39;t submitted." in refused.text
    )
    boss.get(newest_kept_form_page())
    assert invitations() == []


def test_a_new_sign_in_of_somebody_else_in_the_same_browser_does_not_get_the_form(
    app, idp, arrive, boss
):
    arrive("officer@acme.example", boss)
    assert "This form is no longer available." in boss.get(newest_kept_form_page(), then=404).text


def test_who_waits_too_long_signs_in_once_more_for_the_same_form(app, fresh_boss):
    with clock.frozen(clock.now() + timedelta(minutes=6)):
        shown = fresh_boss.get(newest_kept_form_page())
        assert "Sign in once more to submit it" in shown.text
        late = fresh_boss.post(
            INVITE, then=401, saved_form=newest_kept_form_page().rpartition("/")[2]
        )
        assert newest_kept_form_page() in late.text
        assert len(step_up_helpers.saved_forms()) == 1
        step_up_helpers.sign_in_again(fresh_boss, "admin")
        submit_kept_form(fresh_boss, fresh_boss.get(newest_kept_form_page()))
    assert invitations() == [(NEW, "contributor")]


# ---- once


def test_a_form_is_submitted_once_and_a_second_try_says_so(fresh_boss):
    shown = fresh_boss.get(newest_kept_form_page())
    submit_kept_form(fresh_boss, shown)
    again = submit_kept_form(fresh_boss, shown, then=409)
    assert "Already submitted" in again.text
    assert "Already submitted" in fresh_boss.get(newest_kept_form_page(), then=409).text
    assert invitations() == [(NEW, "contributor")]
    assert [
        (row.content, row.key, row.used_at is not None) for row in step_up_helpers.saved_forms()
    ] == [(b"", b"", True)]


def officer_of_globex() -> UUID:
    with make.acting("admin", "globex", read_only=True):
        found = queries.membership_of(make.person_id("compliance_officer", "globex"))
        assert found
        return found.id


def test_two_tabs_that_submit_it_at_once_submit_it_once(app, committed_world):
    boss = visitor_needing_step_up(app, "admin", "globex")
    boss.post(f"settings/members/{officer_of_globex()}/role", then=401, role="viewer")
    step_up_helpers.sign_in_again(boss, "admin", "globex")
    cookie = boss.client.get_cookie("session").value
    page, start, statuses = (
        boss.get(newest_kept_form_page("globex")),
        threading.Barrier(2),
        list[int](),
    )
    before = len(entries_of_action("membership.role.changed", "globex"))

    def press() -> None:
        tab = Visitor(app, cookie, "globex")
        start.wait(MAX_WAIT_SECONDS)
        statuses.append(submit_kept_form(tab, page, then=None).status_code)

    tabs = [threading.Thread(target=press) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(MAX_WAIT_SECONDS)
    assert sorted(statuses) == [303, 409]
    assert len(entries_of_action("membership.role.changed", "globex")) == before + 1


# ---- private to the person


def test_another_session_of_the_same_person_does_not_find_it(app, boss):
    other = Visitor(app, make.cookie("admin"), "acme")
    other.get(newest_kept_form_page(), then=404)
    other.post(INVITE, then=404, saved_form=newest_kept_form_page().rpartition("/")[2])
    assert invitations() == []


@pytest.mark.parametrize(
    ("role", "slug"), [("compliance_officer", "acme"), ("viewer", "acme"), ("admin", "globex")]
)
def test_nobody_else_finds_it(app, boss, role, slug):
    other, kept = (
        Visitor(app, make.cookie(role, slug), slug),
        newest_kept_form_page().rpartition("/")[2],
    )
    other.get(newest_kept_form_page(), then=404)
    other.get(f"continue/{kept}", then=404)
    other.post(INVITE, then=404 if role == "admin" else 403, saved_form=kept)
    assert invitations() == []


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "x",
        "0",
        str(UUID(int=0)),
        "6f1c7f52-55c4-4c1f-9a55-0e4a4f4d5b12",
        "'; --",
        "\N{SNOWMAN}" * 50,
    ],
)
def test_a_made_up_form_is_found_by_nobody(fresh_boss, kept):
    fresh_boss.post(INVITE, then=404 if kept else 422, saved_form=kept)
    assert invitations() == []


def test_an_expired_form_is_not_submitted_and_says_so(app, fresh_boss):
    shown = fresh_boss.get(newest_kept_form_page())
    with clock.frozen(clock.now() + timedelta(minutes=saved_forms.KEPT_MINUTES, seconds=1)):
        step_up_helpers.sign_in_again(fresh_boss, "admin")
        assert "This form has expired" in fresh_boss.get(newest_kept_form_page(), then=410).text
        assert (
            "This form has expired"
            in submit_kept_form(fresh_boss, shown, then=410, csrf_token=fresh_boss.csrf()).text
        )
    assert invitations() == []


@pytest.mark.parametrize("part", ["content", "key"])
def test_a_stored_form_with_one_bit_changed_is_refused_in_words(fresh_boss, part):
    [row] = step_up_helpers.saved_forms()
    bent = bytearray(getattr(row, part))
    bent[len(bent) // 2] ^= 1
    with make.acting("admin"):
        session().execute(update(SavedForm).values({part: bytes(bent)}))
    assert "Its stored copy was altered" in fresh_boss.get(newest_kept_form_page(), then=409).text
    fresh_boss.post(INVITE, then=409, saved_form=str(row.id))
    assert invitations() == []


def test_a_stored_form_put_in_anothers_place_does_not_open(app, boss):
    boss.post(INVITE, then=401, email="second@acme.example", role="viewer")
    first, second = step_up_helpers.saved_forms()
    with make.acting("admin"):
        swapped = {"content": first.content, "key": first.key}
        session().execute(update(SavedForm).where(SavedForm.id == second.id).values(swapped))
    step_up_helpers.sign_in_again(boss, "admin")
    assert "Its stored copy was altered" in boss.get(f"continue/{second.id}", then=409).text
    boss.get(f"continue/{first.id}")


def test_who_lost_the_role_meanwhile_sees_and_submits_nothing(fresh_boss):
    shown = fresh_boss.get(newest_kept_form_page())
    with make.acting("admin"):
        session().execute(
            text("UPDATE memberships SET role = 'viewer' WHERE person_id = :who"),
            {"who": make.person_id("admin")},
        )
    assert NEW not in fresh_boss.get(newest_kept_form_page(), then=403).text
    submit_kept_form(fresh_boss, shown, then=403)
    assert invitations() == []


def test_an_old_sign_in_cannot_submit_it(boss):
    boss.post(INVITE, then=401, saved_form=newest_kept_form_page().rpartition("/")[2])
    assert invitations() == []


def test_another_site_cannot_submit_it(app, fresh_boss):
    form = {
        "saved_form": newest_kept_form_page().rpartition("/")[2],
        "csrf_token": fresh_boss.csrf(),
    }
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert (
            fresh_boss.client.post(f"/t/acme/{INVITE}", data=form, headers=headers).status_code
            == 403
        )
    assert (
        fresh_boss.client.post(
            f"/t/acme/{INVITE}", data=form | {"csrf_token": "guessed"}
        ).status_code
        == 403
    )
    assert invitations() == [] and step_up_helpers.saved_forms()[0].used_at is None


def test_another_site_cannot_have_a_form_kept(app, isolated):
    visitor = visitor_needing_step_up(app, "admin")
    form = {"email": NEW, "role": "admin", "csrf_token": visitor.csrf()}
    refused = visitor.client.post(
        f"/t/acme/{INVITE}", data=form, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert refused.status_code == 403 and step_up_helpers.saved_forms() == []


def test_what_is_sent_beside_a_kept_form_counts_for_nothing(fresh_boss):
    submit_kept_form(
        fresh_boss, fresh_boss.get(newest_kept_form_page()), email="evil@acme.example", role="admin"
    )
    assert invitations() == [(NEW, "contributor")]


def test_a_kept_form_is_submitted_to_its_own_address_only(fresh_boss):
    kept = newest_kept_form_page().rpartition("/")[2]
    for path in ("settings/keys/new", f"{INVITE}?role=admin", "privacy/retention"):
        assert "belongs to another page" in fresh_boss.post(path, then=422, saved_form=kept).text
    assert invitations() == []
    fresh_boss.post(INVITE, saved_form=kept)


# ---- limits and lifetime


def test_a_form_beyond_the_limit_is_not_kept_and_the_page_says_so(app, isolated):
    visitor = visitor_needing_step_up(app, "admin")
    page = visitor.post(
        INVITE, then=401, email="x" * (saved_forms.MAX_BYTES + 1), role="viewer"
    ).text
    assert (
        "Meridian can&#39;t keep your form." in page
        and "larger than 256 KB" in page
        and step_up_helpers.saved_forms() == []
    )
    visitor.post(INVITE, then=401, email="x" * (saved_forms.MAX_BYTES // 2), role="viewer")
    assert len(step_up_helpers.saved_forms()) == 1


def test_a_session_keeps_its_newest_forms_only(app, boss):
    neighbour = visitor_needing_step_up(app, "compliance_officer")
    neighbour.post("audit/exports", then=401, format="jsonl")
    for number in range(saved_forms.MAX_PER_SESSION):
        boss.post(INVITE, then=401, email=f"number{number}@acme.example", role="viewer")
    step_up_helpers.sign_in_again(boss, "admin")
    rows = step_up_helpers.saved_forms()
    mine = [row for row in rows if row.person_id == make.person_id("admin")]
    assert (len(rows), len(mine)) == (saved_forms.MAX_PER_SESSION + 1, saved_forms.MAX_PER_SESSION)
    shown = [kept_form_facts(boss.get(f"continue/{row.id}"))["Work email"] for row in mine]
    assert shown == [f"number{n}@acme.example" for n in range(saved_forms.MAX_PER_SESSION)]


def test_programs_get_a_problem_and_nothing_is_kept(app, isolated):
    visitor = visitor_needing_step_up(app, "admin")
    form = {"email": NEW, "role": "viewer", "csrf_token": visitor.csrf()}
    reply = visitor.client.post(
        f"/t/acme/{INVITE}", data=form, headers={"Accept": "application/json"}
    )
    assert (
        reply.status_code == 401
        and json.loads(reply.data)["status"] == 401
        and step_up_helpers.saved_forms() == []
    )


def test_the_nightly_sweep_deletes_what_has_expired_and_nothing_else(app, boss):
    with clock.frozen(clock.now() + timedelta(minutes=saved_forms.KEPT_MINUTES, seconds=1)):
        boss.post(INVITE, then=401, email="later@acme.example", role="viewer")
        with current.acting_as(make.system_actor("acme")), transaction():
            session_actions.delete_old_sign_ins()
        assert len(step_up_helpers.saved_forms()) == 1
        assert [s for s in sessions_of() if s.person_id == make.person_id("admin")]


def test_a_key_rotation_knows_the_kept_forms(boss):
    [holding] = [each for each in key_encryption.holdings if each.model is SavedForm]
    [row] = step_up_helpers.saved_forms()
    assert len(key_encryption.unwrap(row.key, holding.context(row))) == key_encryption.KEY_BYTES


def test_what_the_browser_sent_twice_or_in_any_script_is_shown_and_sent_as_it_was(app, isolated):
    visitor = visitor_needing_step_up(app, "admin")
    scopes = ["audit:read", "evidence:write"]
    visitor.post(
        "settings/keys/new",
        then=401,
        name="Größe <b>✓</b>",
        scopes=scopes,
        rate="7",
        ends_on="",
        system_id="",
    )
    step_up_helpers.sign_in_again(visitor, "admin")
    shown = visitor.get(newest_kept_form_page())
    assert kept_form_facts(shown) == {
        "Name": "Größe <b>✓</b>",
        "Scopes": "audit:read, evidence:write",
        "AI system": "All AI systems",
        "Rate limit, requests/min": "7",
        "Expires after": "Empty",
    }
    made = submit_kept_form(visitor, shown, then=201)
    assert "Größe &lt;b&gt;✓&lt;/b&gt;" in made.text


def test_the_log_holds_what_a_kept_form_did_and_nothing_of_its_being_kept(fresh_boss):
    before = len(entries_of_action())
    submit_kept_form(fresh_boss, fresh_boss.get(newest_kept_form_page()))
    assert [e.action for e in entries_of_action()[before:]] == ["invitation.sent"]
