"""The next untested item, shown after a result, and the position of each item."""

import pytest
from bs4 import BeautifulSoup

from governance.assurance.testing import sample_queries
from tests import make
from tests.assurance.testing import type2_helpers


@pytest.fixture
def items(app, database):
    """Return the addresses of a sample's 25 items, of which only the last three are untested."""
    sample = type2_helpers.draw_sample(
        type2_helpers.freeze_population(type2_helpers.create_control())
    )
    type2_helpers.record_results(sample, set(range(1, 23)))
    with make.acting(read_only=True):
        ids = [view.item.id for view in sample_queries.items(sample)]
    return sample, [f"evidence/type-ii/items/{each}" for each in ids]


def steps(who, path):
    """Return the text of the strip under the heading, and its links."""
    strip = BeautifulSoup(who.get(path).text, "html.parser").select_one(".c-steps")
    links = {each.get_text(): each["href"].removeprefix("/t/acme/") for each in strip.select("a")}
    return strip.get_text(" ", strip=True), links


def test_each_item_tells_where_it_is_and_leads_on(as_auditor, items):
    _, paths = items
    said, links = steps(as_auditor, paths[1])
    assert said.startswith("Item 2 of 25 3 untested")
    assert links == {
        "Previous": paths[0],
        "Next": paths[2],
        "Next untested item": paths[22],
    }
    assert "Previous" not in steps(as_auditor, paths[0])[1]
    said, links = steps(as_auditor, paths[24])
    assert "Next" not in links and links["Next untested item"] == paths[22], "from the start again"


def test_a_result_leads_to_the_next_untested_item_and_the_last_one_to_the_sample(as_auditor, items):
    sample, paths = items
    result = {"a0": "yes", "a1": "yes"}
    for here, then in ((23, 24), (24, 22)):
        assert as_auditor.post(paths[here], **result).location.endswith(paths[then])
    last = as_auditor.post(paths[22], **result)
    assert last.location.endswith(f"/evidence/type-ii/samples/{sample}")
    assert "Every item of the sample is tested: 25 of 25." in as_auditor.get(last.location).text
    said, links = steps(as_auditor, paths[0])
    assert "none untested" in said and "Next untested item" not in links


def test_a_refused_result_stays_where_it_was(as_auditor, items):
    as_auditor.post(items[1][22], then=422, a0="no", a1="yes")
    assert steps(as_auditor, items[1][22])[0].startswith("Item 23 of 25 3 untested")
