"""The audit log in a browser: paging, the proof that the browser computes, and its error messages."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Person, violations

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 360, "height": 800}


@pytest.fixture
def officer(arrive: Callable[[str], Person]):
    person = arrive("officer@acme.example")
    person.page.set_viewport_size(WIDE)
    person.troubles.clear()
    yield person
    person.page.unroute_all()
    person.page.set_viewport_size(WIDE)


def placed(page: Page):
    """Return a link to a sequenced entry. The newest ones may still be pending."""
    return page.locator("tr[data-entry] a[data-opens]").nth(12)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_an_entry_opens_beside_the_list_and_is_proved_in_the_browser(officer, axe, theme):
    officer.theme(theme)
    officer.open("/t/acme/audit/")
    link = placed(officer.page)
    action = link.inner_text()
    link.click()
    proof = officer.page.locator("#proof[data-checked]")
    expect(proof).to_have_attribute("data-checked", "whole")
    expect(proof).to_contain_text("Verified in your browser just now")
    expect(officer.page.locator("#panel h2")).to_have_text(action)
    expect(officer.page.locator("tr[aria-current]")).to_contain_text(action)
    assert "entry=" in officer.page.url
    assert violations(officer.page, axe) == []
    officer.page.reload()
    expect(officer.page.locator("#panel #proof[data-checked=whole]")).to_be_visible()
    officer.page.locator("#panel [data-closes]").click()
    expect(officer.page.locator("#panel")).to_be_hidden()
    assert officer.troubles == []


def entry_address(person: Person) -> str:
    person.open("/t/acme/audit/")
    return placed(person.page).get_attribute("data-opens") or ""


def bent(pattern: str, by: str) -> Callable[[Route], None]:
    """Return a route handler that alters the page, as an attacker on the network would."""

    def change(route: Route) -> None:
        reply = route.fetch()
        text, count = re.subn(pattern, by, reply.text(), count=1)
        assert count == 1
        route.fulfill(response=reply, body=text)

    return change


@pytest.mark.parametrize(
    ("pattern", "by", "says"),
    [
        (
            r'(<h1[^>]*data-signed="action">)[^<]+',
            r"\1control.retired",
            "This page shows the action control.retired, but the signed one is",
        ),
        (r'(data-signed="at">)\d{4}', r"\g<1>2019", "This page shows the time"),
        (r'(data-signed="actor">.-)....', r"\g<1>0000", "This page shows the actor"),
        (r'data-index="\d+"', 'data-index="3"', "doesn't lead to the signed root|too (short|long)"),
        (r'(data-path=")[A-Za-z0-9+/]{4}', r"\g<1>AAAA", "doesn't lead to the signed root"),
        (
            r'data-number="[^"]*" data-body="[^"]{8}',
            'data-number="1" data-body="eyJhYWFh',
            "can't be read|but the signed one is",
        ),
        (r"(data-note=\"[^\n]+\n)\d+", r"\g<1>999999", "too (short|long)|doesn't lead"),
        (
            r"(— [^ ]+ [A-Za-z0-9+/]{20})....",
            r"\1AAAA",
            "signature of the checkpoint is invalid",
        ),
        (r'(data-key=")[A-Za-z0-9+/]{4}', r"\g<1>AAAA", "is not signed with this log"),
    ],
)
def test_the_browser_says_what_is_not_so(officer, pattern, by, says):
    address = entry_address(officer)
    officer.page.route(f"**{address}", bent(pattern, by))
    officer.open(address)
    expect(officer.page.locator("#proof")).to_have_attribute("data-checked", "fails")
    expect(officer.page.locator("#proof")).to_contain_text("Doesn’t match the signed entry")
    expect(officer.page.locator("#proof [data-verdict]")).to_contain_text(re.compile(says))


def test_keys_walk_the_list_and_open_the_entry(officer):
    officer.open("/t/acme/audit/?action=evidence")
    for _ in range(3):
        officer.page.keyboard.press("j")
    officer.page.keyboard.press("k")
    chosen = officer.page.locator("tr.c-cursor")
    expect(chosen).to_have_count(1)
    entry = chosen.get_attribute("data-entry")
    officer.page.keyboard.press("Enter")
    expect(officer.page.locator("#panel #proof")).to_be_visible()
    assert entry in officer.page.url
    officer.page.keyboard.press("/")
    expect(officer.page.get_by_placeholder("Search unencrypted fields")).to_be_focused()


def test_new_entries_wait_behind_a_pill_until_they_are_asked_for(officer, arrive):
    officer.open("/t/acme/audit/")
    first = officer.page.locator("tr[data-entry]").first.get_attribute("data-entry")
    auditor = arrive("auditor@audit.example")
    auditor.open("/t/acme/controls/")
    pill = officer.page.locator("[data-new]")
    expect(pill).to_contain_text("new entr", timeout=20_000)  # It polls every five seconds.
    assert officer.page.locator("tr[data-entry]").first.get_attribute("data-entry") == first
    pill.get_by_role("link").click()
    expect(officer.page.locator("tr[data-entry]").first).to_contain_text("tenant.page.viewed")
    assert officer.troubles == []


def test_on_a_phone_an_entry_is_a_page_of_its_own(officer, axe):
    officer.page.set_viewport_size(NARROW)
    officer.open("/t/acme/audit/")
    placed(officer.page).click()
    officer.page.wait_for_url("**/audit/entries/*")
    expect(officer.page.locator("#proof[data-checked=whole]")).to_be_visible()
    assert violations(officer.page, axe) == []
    assert officer.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert officer.troubles == []
