"""Every page that each person can reach, as Chromium shows it: for everybody, in both themes, wide
and narrow, without a complaint.
"""

import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.journeys.conftest import CONTRAST_RULES, Person, violations
from tests.journeys.crawl import Found, crawl
from tests.journeys.viewports import NARROW, OVERFLOW, WIDE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

# In order: each later person looks only at the pages that nobody before them could open, and at
# their own home.
PEOPLE = (
    "officer@acme.example",
    "admin@acme.example",
    "contributor@acme.example",
    "viewer@acme.example",
    "auditor@audit.example",
    "officer@globex.example",
    "operator@console.example",
    "finance@console.example",
)


DAILY_SHARE = 8  # `make test` looks at one page of so many, and `make nightly` at each.


@pytest.fixture(scope="session")
def reach(console: str, arrive: Callable[[str], Person]) -> dict[str, Found]:
    """The pages that each person reaches by following links from their first page."""
    starts = [
        (person.home.removeprefix(console), {"session": person.token()})
        for person in map(arrive, PEOPLE)
    ]
    with ThreadPoolExecutor(2) as pool:  # as many as the demo has web workers
        found = pool.map(lambda start: crawl(console, *start), starts)
        return dict(zip(PEOPLE, found, strict=True))


@pytest.fixture(scope="session")
def visits(reach: dict[str, Found]) -> dict[str, list[str]]:
    """The addresses that each person looks at, home first. Nobody looks at a page again."""
    seen: set[str] = set()
    plan: dict[str, list[str]] = {}
    for email, found in reach.items():
        home, *others = found.pages
        plan[email] = [found.pages[name] for name in [home, *others] if name not in seen - {home}]
        seen |= set(found.pages)
    return plan


@pytest.mark.parametrize("email", PEOPLE)
def test_every_link_that_is_offered_leads_somewhere(reach, email):
    assert reach[email].pages
    assert not reach[email].refused, "\n".join(reach[email].refused)


@pytest.mark.parametrize("email", PEOPLE)
def test_pages_are_accessible_quiet_and_fit(arrive, axe, visits, email):
    """Look at the home of each person and at a share of the other pages, drawn at random."""
    home, *others = visits[email]
    drawn = random.sample(others, len(others) // DAILY_SHARE)
    assert problems(arrive(email), axe, [home, *drawn]) == []


@pytest.mark.nightly
@pytest.mark.parametrize("email", PEOPLE)
def test_every_page_is_accessible_quiet_and_fits(arrive, axe, visits, email):
    assert problems(arrive(email), axe, visits[email]) == []


def problems(person: Person, axe: str, urls: list[str]) -> list[str]:
    """Return what is wrong with the pages at `urls`, and what the browser complained of."""
    person.context.add_init_script(axe)  # compiled once, not sent and compiled with each page
    person.theme("light")
    person.troubles.clear()
    found = [f"{url} ({problem}" for url in urls for problem in _look(person, axe, url)]
    return found + person.troubles


DARK = "document.documentElement.dataset.bsTheme = 'dark'"  # as the button of the theme does


def _look(person: Person, axe: str, url: str) -> list[str]:
    """Load a page once: the colours are all that the other theme changes, and the layout all that
    another width does.
    """
    page = person.page
    page.set_viewport_size(WIDE)
    person.open(url)
    found = [f"light): {problem}" for problem in violations(page, axe, one_of_each=True)]
    page.evaluate(DARK)
    dark = violations(page, axe, CONTRAST_RULES, one_of_each=True)
    found += [f"dark): {problem}" for problem in dark]
    page.set_viewport_size(NARROW)
    over, *widest = page.evaluate(OVERFLOW)
    if over > 0:
        found.append(f"narrow): {over} px wider than {NARROW['width']} px: {widest}")
    return found


def test_a_row_that_differs_is_looked_at(chromium, axe):
    """Find, among a hundred rows, the one of another color and the one whose link has no name."""
    head = "<!doctype html><html lang='en'><title>Risks</title><style>li { margin: 2em }</style>"
    rows = "".join(f"<li><a href='/{n}' class='row'>Risk {n}</a></li>" for n in range(100))
    page = chromium.new_page()
    for listed, expected in (
        (rows, []),
        (rows.replace("/70' ", "/70' style='color: #eee' "), ["color-contrast × 1"]),
        (rows.replace(">Risk 71<", "> <"), ["link-name × 1"]),
    ):
        page.set_content(f"{head}<main><h1>Risks</h1><ul>{listed}</ul></main>")
        found = violations(page, axe, one_of_each=True)
        assert [each.partition(":")[0] for each in found] == expected
    page.close()


def test_everything_is_reachable_by_somebody(reach):
    """A page that no link leads to is a page that nobody finds."""
    from tests.journeys.crawl import url_map

    pages = {
        rule.endpoint
        for rule in url_map().map.iter_rules()
        if "GET" in (rule.methods or ())
        and not rule.rule.startswith(("/static", "/auth/", "/operator/t"))
    }
    reached = set().union(*(found.endpoints for found in reach.values()))
    assert pages - reached <= NOT_BY_LINKS, "\n".join(sorted(pages - reached - NOT_BY_LINKS))


# Asked for by scripts, by machines and by the sign-in itself; reached by a mail, or by a file that
# was sent.
NOT_BY_LINKS = {
    "scim_api.search_everything",  # a directory calls these with a key
    "scim_api.serve",
    "comments.discussion",  # of an object with more than 20 comments, or after a mistake
    "comments.editing",  # for half an hour
    "comments.history",  # of a comment that was edited
    "assessments.frozen",  # of a closed assessment
    "datasets.publishing",  # while a version is a draft
    "intake.law_change",  # once the law has changed since a class was given
    "evaluation_requests.shown",  # once somebody asked a runner
    "evaluations_api.run",  # programs call it with a key
    "systems.recertifying",  # of an agent whose day is near
    "change_log.withdraw",  # of a published change
    "rollouts.cancel",  # before the first stage
    "red_teams.cancel",  # before anything is tried
    "red_teams.fix",  # of a confirmed finding
    "red_teams.reopen",  # of one that is said to be fixed
    "red_teams.close",
    "evaluations.editing",  # while a version is a draft
    "evaluations.edit_measure",
    "evaluations.new_measure",
    "digest.unsubscribing",
    "health.healthz",
    "health.readyz",
    "health.metrics",
    "sign_in.home",
    "sign_in.login",
    "sign_in.callback",
    "api_description.description",
    "report_check.keys",
    "report_check.verify",
    "previews.show",
    "work.events",
    "work.item",
    "jump.jump",
    "logbook.live",
    "switches.obeyed",
    "auditor_door.arriving",
    "auditor_again.again",
    "step_up.continuing",
    "engagements.what_was_read",
    "operator_desk.resumption",  # of a suspended tenant
    "operator_work.item",  # of work that waits or failed
    "testing.record_missed",  # from a cycle that was missed; of the cells only a few are opened
    "identity_providers.change",
    # each leads to its approval; from entries of the log, and addresses of earlier mails
    "policies.decision",
    "inbox.preview",
    "inbox.keys",  # asked for by the inbox itself
    # from a conclusion that awaits a signature; of the requirements only a few are opened
    "assessments.returning",
    "audit_api.checkpoint",
    "audit_api.tile",
    "audit_api.bundle",
    "audit_api.inclusion",
    "audit_api.consistency",
    "audit_api.entry",
    "evaluations.comparison",  # of two runs that a person selects
    "evaluations.comparison_data",
    "evaluations.export_cases",
    "alerts.live",  # asked for by the pages themselves
    "incidents.events",  # the same
    "incidents.edit_follow_up",  # from an open action; of the reviews only one is opened
    "backtests.save",  # from a back-test, once a person has changed a rule in it
    # from an entry of the log
    "agreements.version_by_id",
    "system_documents.by_id",
    "model_cards.by_id",
    "model_cards.by_text",
    "model_cards.by_release",
    "model_cards.write",  # of a system with a finding or an incident
    "model_cards.version",  # once a card is published
    "model_cards.withdraw",
    "public_model_cards.show",  # at an address that nobody can guess
    "public_model_cards.version",
    "public_model_cards.as_pdf",
    "public_model_cards.signature",
    "public_model_cards.as_json",
    "public_model_cards.as_bom",
    "operator_revenue.account_by_id",
    "reviews.by_id",
    "imports.rejected",  # of a file with rejected rows
    "review_months.accept_residual",  # of a close that stopped
    "budgets.notice",  # from the inbox of a customer whose budget is spent
    # from the inbox after a stop without an incident; the demo's stop is part of one
    "incidents.suggestion",
    # from an entry of the log, and the inbox of who answers
    "statements.dispute",
    # from a mail to a customer contact, and from the address that a calendar subscribes to
    "status.arrive",
    "maintenance_feed.calendar",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "url", ["/login", "/verify", "/t/acme/nothing-here", "/login?email=nobody%40nowhere.example"]
)
def test_pages_before_sign_in(console, chromium, axe, url, theme):
    context = chromium.new_context(viewport=WIDE)
    context.add_cookies([{"name": "theme", "value": theme, "url": console}])
    page = context.new_page()
    page.goto(console + url)
    found = violations(page, axe)
    page.set_viewport_size(NARROW)
    assert page.evaluate(OVERFLOW)[0] <= 0
    context.close()
    assert not found, "\n".join(found)


def test_the_arrows_walk_the_heat_map_and_the_peek_follows(arrive):
    officer = arrive("officer@acme.example")
    page = officer.page
    page.set_viewport_size(WIDE)
    page.goto(officer.home + "frameworks/nist-ai-rmf-1.0")
    page.locator("#MEASURE-2\\.6").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#peek >> text=MEASURE 2.7").wait_for()
    assert page.evaluate("document.activeElement.id") == "MEASURE-2.7"
    page.keyboard.press("Enter")
    page.wait_for_url("**/MEASURE-2.7")


def test_no_browser_reported_a_violation(console, visits):
    """After every page above, in this order of the file: the counters of the web workers stand at
    zero.
    """
    for _ in range(6):
        text = requests.get(f"{console}/metrics", timeout=60).text
        counted = re.search(r"^governance_csp_reports_total (\S+)", text, re.MULTILINE)
        assert counted
        assert float(counted[1]) == 0
