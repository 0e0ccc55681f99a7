"""The next request of the engagement that awaits a person, shown after they answer one."""

import pytest
from bs4 import BeautifulSoup

from tests import make
from tests.assurance.engagements import engagement_helpers as helpers


@pytest.fixture
def pages(app, database):
    """Return the pages of four requests by ref. The contributor doesn't own the second."""
    engagement = helpers.create_engagement(auditor="auditor")
    found = []
    for title, owner in (("One", "contributor"), ("Two", "admin"), ("Three", "contributor")):
        found.append(helpers.create_request(engagement, title, owner=owner, ref=f"R-{title}"))
    other = helpers.create_engagement("Another firm")
    helpers.create_request(other, "Elsewhere")
    with make.acting(read_only=True):
        return [f"engagements/{engagement}/requests/{each}" for each in found], engagement, found


def steps(who, path):
    strip = BeautifulSoup(who.get(path).text, "html.parser").select_one(".c-steps")
    links = {each.get_text(): each["href"].removeprefix("/t/acme/") for each in strip.select("a")}
    return strip.get_text(" ", strip=True), links


def test_an_answer_leads_to_the_next_request_that_awaits_its_owner(as_contributor, pages):
    (one, two, three), _, _ = pages  # The order is by ref: One, Three, Two.
    said, links = steps(as_contributor, one)
    assert said.startswith("Request 1 of 3 2 awaiting you")
    assert links == {"Next": three, "Next request that awaits you": three}
    done = helpers.change_request_state(as_contributor, one, "provide", text="Here.")
    assert done.location.endswith(three)
    assert "Response to R-One provided." in as_contributor.get(done.location).text
    done = helpers.change_request_state(as_contributor, three, "provide", text="Here.")
    assert done.location.endswith(three), "nothing else awaits them: Two is somebody else's"
    assert "No other awaits you here." in as_contributor.get(done.location).text
    assert steps(as_contributor, two)[1] == {"Previous": three}


def test_an_auditor_goes_from_one_response_to_the_next(as_auditor, pages):
    (one, two, three), engagement, ids = pages
    assert steps(as_auditor, one)[0].startswith("Request 1 of 3 none awaiting you")
    for each in ids:
        by = "admin" if each == ids[1] else "contributor"
        helpers.provide_request(engagement, each, by=by, said="Here.")
    assert steps(as_auditor, three)[0].startswith("Request 2 of 3 3 awaiting you")
    done = helpers.change_request_state(as_auditor, three, "accept")
    assert done.location.endswith(two)
    done = helpers.change_request_state(as_auditor, two, "return", text="Of another year.")
    assert done.location.endswith(one), "from the start again"
    done = helpers.change_request_state(as_auditor, one, "say", text="Thank you.")
    assert done.location.endswith(one), "a comment settles nothing"


def test_the_place_costs_one_statement(as_auditor, pages, statements):
    as_auditor.get(pages[0][0])
    with statements() as seen:
        as_auditor.get(pages[0][0])
    assert len([s for s in seen if "count(*) OVER" in s or "ORDER BY audit_requests.ref" in s]) == 1
