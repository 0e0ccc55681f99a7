"""The inbox in a real browser, also on a phone.

Keys move the panel, select and snooze. A completed row turns gray.
"""

import pytest

from tests.journeys.conftest import violations
from tests.journeys.viewports import NARROW

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


@pytest.fixture
def officer(arrive):
    person = arrive("officer@acme.example")
    person.troubles.clear()
    person.open("/t/acme/inbox/")
    yield person
    person.page.unroute_all()


def test_keys_move_the_panel_and_select(officer, axe):
    page = officer.page
    page.keyboard.press("j")
    page.keyboard.press("j")
    second = page.locator("[data-row] a:not(.btn)").nth(1).inner_text()
    page.locator("#preview h2", has_text=second).wait_for()
    page.keyboard.press("x")
    page.locator("[data-bulk-bar]", has_text="1 selected").wait_for()
    page.keyboard.press("s")
    assert page.evaluate("document.activeElement.id") == "bulk-snooze"
    assert violations(page, axe) == []
    page.keyboard.press("Escape")
    assert officer.troubles == []


def test_enter_opens_the_item_with_a_way_to_the_next(officer, axe):
    page = officer.page
    page.keyboard.press("j")
    title = page.locator("[data-row] a:not(.btn)").first.inner_text()
    page.keyboard.press("Enter")
    page.locator(".c-inboxstrip", has_text=title).wait_for()
    assert violations(page, axe) == []
    page.get_by_role("link", name="Skip to the next item").click()
    page.locator(".c-inboxstrip").wait_for()
    assert title not in page.locator(".c-inboxstrip").inner_text()


def test_what_somebody_else_did_turns_grey_until_the_person_leaves(officer):
    page = officer.page
    page.route("**/inbox/keys", lambda route: route.fulfill(json={"items": []}))
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.locator("[data-row].c-gone").first.wait_for()
    assert page.locator("[data-row]:not(.c-gone)").count() == 0
    assert page.locator("[data-tick]:enabled").count() == 0


@pytest.mark.parametrize("view", ["open", "snoozed", "done"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_a_phone(officer, axe, theme, view):
    page = officer.page
    officer.theme(theme)
    page.set_viewport_size(NARROW)
    try:
        officer.open(f"/t/acme/inbox/?view={view}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert violations(page, axe) == []
    finally:
        officer.theme("light")
