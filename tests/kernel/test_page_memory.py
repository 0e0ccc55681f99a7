"""A page that is kept is that of its reader alone, of this minute, and of what the tenant's log
holds; its frame and its form tokens are those of each request.
"""

import re
from datetime import timedelta

import pytest

from governance.assurance.evidence import actions as evidence
from governance.foundation.people import member_actions
from governance.foundation.people import queries as people
from governance.kernel import clock, page_memory, tenant_cache, web
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor

ROLES = ("admin", "compliance_officer", "contributor", "viewer", "auditor")
KEY = "nist-ai-rmf-1.0"
PAGES = (
    "controls/",
    "controls/?status=red",
    "evidence/",
    f"frameworks/{KEY}",
    f"frameworks/{KEY}/requirements",
    f"frameworks/{KEY}/MEASURE-2.7",
    "settings/sessions",
)
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


def shown(reader, page):
    """What this person sees, but for what differs between two answers anyway."""
    reply = reader.client.get(reader.at(page))
    return reply.status_code, TOKEN.sub("", reply.text)


@pytest.fixture
def filled(acting, database):
    control = evidence_helpers.create_control("SEC-04", "Penetration test")
    evidence_helpers.create_evidence("Yearly report", supports=[control])
    with clock.frozen(clock.now().replace(second=30)):
        yield control


@pytest.mark.parametrize("page", PAGES)
def test_everybody_sees_their_own_page_whoever_asked_before(app, filled, page):
    readers = {role: visitor(app, role) for role in ROLES}
    alone = {}
    for role, reader in readers.items():
        tenant_cache.forget()
        alone[role] = shown(reader, page)
    assert len(set(alone.values())) > 1  # an officer may do what a viewer may not
    for role in (*ROLES, *reversed(ROLES), *ROLES):
        assert shown(readers[role], page) == alone[role]


def test_another_session_of_the_same_person_has_pages_of_its_own(app, filled):
    first, second = visitor(app, "viewer"), visitor(app, "viewer")
    for reader in (first, second, first, second):
        rows = reader.get("settings/sessions").text.split("<tr data-row>")[1:]
        assert sum("this session" in row for row in rows) == 1
    assert shown(first, "settings/sessions") != shown(second, "settings/sessions")


def test_a_change_is_on_the_next_page(app, acting, filled):
    reader = visitor(app, "viewer")
    for _ in range(2):
        assert "Another report" not in reader.get("evidence/").text
    with acting("compliance_officer"):
        evidence.create_item("Another report", kind="record", cadence="quarterly")
    for _ in range(2):
        assert "Another report" in reader.get("evidence/").text


def test_who_has_another_role_sees_what_it_may_and_who_has_none_is_refused(app, acting, filled):
    reader = visitor(app, "compliance_officer")
    for _ in range(2):
        assert "/controls/new" in reader.get("controls/").text
    who = make.person_id("compliance_officer")
    with acting("admin"):
        member_actions.change_role(people.membership_of(who), "viewer")
    for _ in range(2):
        assert "/controls/new" not in reader.get("controls/").text
    with acting("admin"):
        member_actions.remove_member(people.membership_of(who))
    assert reader.client.get(reader.at("controls/")).status_code != 200


def test_a_kept_page_is_drawn_again_in_the_next_minute(app, filled):
    reader = visitor(app, "viewer")
    page = "settings/sessions"
    assert "just now" in reader.get(page).text
    with clock.frozen(clock.now() + timedelta(minutes=2)):
        assert "2 minutes ago" in reader.get(page).text


def test_a_page_that_tells_seconds_is_not_kept(app, filled, monkeypatch):
    reader, pages = visitor(app, "viewer"), tenant_cache.BoundedCache(8)
    monkeypatch.setattr(page_memory, "_pages", pages)
    monkeypatch.setattr(page_memory, "OF_THE_MOMENT", re.compile("Controls"))
    reader.get("controls/")
    assert len(pages) == 0
    reader.get("evidence/")
    assert len(pages) == 1


def test_a_page_of_a_past_day_says_so_each_time(app, filled):
    reader, yesterday = visitor(app, "viewer"), clock.today() - timedelta(days=1)
    for _ in range(3):
        page = reader.get(f"frameworks/{KEY}/MEASURE-2.7?as_of={yesterday}").text
        assert "Past day" in page and "Back to now" in page


@pytest.mark.parametrize("page", ["controls/", "settings/sessions"])
def test_each_answer_has_a_token_of_its_own_that_opens_the_forms_of_the_page(app, filled, page):
    reader, seen = visitor(app, "compliance_officer"), set()
    for _ in range(3):
        text = reader.client.get(reader.at(page)).text
        tokens = set(TOKEN.findall(text))
        assert len(tokens) == 1 and web.TOKEN_MARK not in text
        seen |= tokens
    assert len(seen) == 3
    path = "/theme"
    for token in seen:
        sent = reader.client.post(path, data={"theme": "dark", "csrf_token": token})
        assert sent.status_code == 303
    refused = reader.client.post(path, data={"theme": "dark", "csrf_token": web.TOKEN_MARK})
    assert refused.status_code == 403


def test_the_frame_of_a_kept_page_shows_what_is_true_now(app, acting, filled):
    reader = visitor(app, "viewer")
    for unread in (0, 7, 7, 8, 0):
        with acting("admin"):
            people.membership_of(make.person_id("viewer")).unread_notifications = unread
        text = reader.client.get(reader.at("controls/")).text
        told = re.findall(r'<b>(\d+)<span class="c-hide"> unread</span>', text)
        assert told == ([str(unread)] if unread else [])
        assert all(text.count(each) == 1 for each in ("<title>Controls", "<h1", "</html>"))


def test_notes_and_the_section_are_around_a_kept_page(app, acting, filled):
    reader = visitor(app, "compliance_officer")
    for _ in range(2):
        text = reader.get("controls/").text
    assert re.search(r'href="/t/acme/controls/" aria-current="page"', text)
    with reader.client.session_transaction() as session:
        session["_flashes"] = [("message", "The control is saved.")]
    assert "The control is saved." in reader.get("controls/").text
    assert "The control is saved." not in reader.get("controls/").text


def test_who_opens_a_page_again_asks_for_nothing_of_it(app, filled, statements):
    reader = visitor(app, "viewer")
    for page in PAGES[:-1]:
        with statements() as seen:
            reader.get(page)
            del seen[:]
            reader.get(page)
        assert len(seen) == 1, page  # who asks
