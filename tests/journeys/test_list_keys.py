"""The keys of lists in Chromium, on every list that an officer can open.

The keys / j k x e ? do what the foot of the list describes, and nothing while a person types.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from governance.kernel.pages import list_pages
from tests.journeys.conftest import Person
from tests.journeys.crawl import url_map
from tests.journeys.viewports import WIDE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

OFFICER = "officer@acme.example"
ALL_KEYS = "/jkxe?"
FRAMEWORK = {"requirements": {"key": "nist-ai-rmf-1.0"}}  # for lists whose address has a place


def addresses() -> dict[str, str]:
    """Return the address of each declared list of a tenant, by its name."""
    routes = url_map()
    return {
        name: routes.build(listed.endpoint, {"tenant": "acme", **FRAMEWORK.get(name, {})})
        for name, listed in sorted(list_pages.declared.items())
        if not listed.endpoint.startswith("operator_")
        and set(listed.place) <= set(FRAMEWORK.get(name, {}))
    }


@pytest.fixture(scope="module")
def officer(arrive: Callable[[str], Person]) -> Person:
    person = arrive(OFFICER)
    person.page.set_viewport_size(WIDE)
    return person


def test_every_list_obeys_the_keys_that_its_foot_names(console, officer):
    walked, wrong = [], list[str]()
    for name, address in addresses().items():
        officer.open(console + address)
        if officer.page.locator("[data-row]:visible").count():
            walked.append(name)
            wrong += [f"{name}: {each}" for each in _troubles(officer.page)]
    assert not wrong, "\n".join(wrong)
    assert len(walked) > 15, walked


def _troubles(page: Page) -> list[str]:
    here, wrong = page.url, list[str]()
    hints = set(page.locator("[data-hint]:visible kbd").all_inner_texts())
    rows = page.locator("[data-row]:visible")
    search = page.locator("[data-key='/']")
    if search.count():
        page.keyboard.press("/")
        page.keyboard.type(ALL_KEYS)
        if search.input_value() != ALL_KEYS or page.locator(".c-cursor").count():
            wrong.append("a key acts while somebody types in the search")
        search.fill("")
        page.keyboard.press("Escape")
    page.keyboard.press("j")
    if "c-cursor" not in (rows.first.get_attribute("class") or ""):
        wrong.append("j does not go to the first row")
    if rows.count() > 1:
        page.keyboard.press("j")
        page.keyboard.press("k")
        if "c-cursor" not in (rows.first.get_attribute("class") or ""):
            wrong.append("j and k do not come back to the first row")
    wrong += _selects(page, hints)
    page.keyboard.press("?")
    if not page.locator("#shortcuts[open]").count():
        wrong.append("? does not show the keys")
    page.keyboard.press("Escape")
    if page.url != here:
        wrong.append(f"a key left the page for {page.url}")
    return [*wrong, *_edits(page, hints)]


def _selects(page: Page, hints: set[str]) -> list[str]:
    ticks = page.locator("[data-row]:visible").first.locator("[data-tick]").count()
    page.keyboard.press("x")
    ticked = page.locator("[data-tick]:checked").count()
    page.keyboard.press("Escape")
    if ticked != min(ticks, 1):
        return [f"x ticks {ticked} of {ticks}"]
    if page.locator("[data-tick]:checked").count():
        return ["esc does not clear the selection"]
    shown = page.locator(".c-pager").count() > 0
    return ["its foot is wrong about x"] if shown and bool(ticks) != ("x" in hints) else []


def _edits(page: Page, hints: set[str]) -> list[str]:
    """Edit the first editable row by key, and return the problems found.

    Without an editable row, nothing may happen.
    """
    here = page.url
    one = page.locator("[data-edits] [data-row]:visible, [data-row][data-edit]:visible").first
    if not one.count():
        page.keyboard.press("e")
        return ["e goes somewhere"] if page.url != here or "e" in hints else []
    one.locator("a[href]").first.focus()
    with page.expect_navigation() as answer:
        page.keyboard.press("e")
    form = page.locator("main form[method=post]").count()
    if answer.value is None or answer.value.status != 200 or not form:
        return [f"e opens {page.url}, which is no form"]
    return []


def test_no_key_of_a_list_acts_in_a_field_of_a_form(console, officer):
    officer.open(f"{console}/t/acme/systems/new")
    page = officer.page
    here = page.url
    for field in ("name", "purpose"):
        box = page.locator(f"[name={field}]")
        box.fill("")
        box.press_sequentially(ALL_KEYS + "az")
        expect(box).to_have_value(ALL_KEYS + "az")
    page.locator("[name=owner_id]").focus()
    page.keyboard.press("j")
    assert page.url == here and not page.locator("#shortcuts[open]").count()


def test_the_list_of_keys_names_each_of_them(console, officer):
    officer.open(f"{console}/t/acme/systems/")
    officer.page.keyboard.press("?")
    named = " ".join(officer.page.locator("#shortcuts kbd").all_inner_texts()).split()
    assert {"/", "j", "k", "x", "e", "?", "↵", "z"} <= set(named)


def test_e_on_the_page_of_an_object_opens_its_form(console, officer):
    officer.open(f"{console}/t/acme/systems/claims-triage")
    with officer.page.expect_navigation():
        officer.page.keyboard.press("e")
    assert officer.page.url.endswith("/systems/claims-triage/edit")
