"""The cache of a requirement's page: never older than the log, and only what a reader may see."""

import re

import pytest

from governance.assurance.controls import actions, mapping_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.evidence import link_actions, queries
from governance.assurance.frameworks import queries as frameworks
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor

KEY, PAGE = "nist-ai-rmf-1.0", "frameworks/nist-ai-rmf-1.0/MEASURE-2.7"
ROLES = ("compliance_officer", "viewer", "contributor")


@pytest.fixture
def control(acting, database):
    found = evidence_helpers.create_control("SEC-04", "Penetration test")
    with acting("compliance_officer"):
        node = frameworks.requirement(KEY, "MEASURE-2.7")
        mapping_actions.map_to(find_control(found, lock=True), node.id, coverage="full")
    return found


def test_a_change_is_on_every_readers_next_page(app, acting, control):
    readers = [visitor(app, role) for role in ROLES]
    assert all("Yearly report" not in reader.get(PAGE).text for reader in readers)
    piece = evidence_helpers.create_evidence("Yearly report", supports=[control])
    assert all("Yearly report" in reader.get(PAGE).text for reader in readers)
    evidence_helpers.accept_version(evidence_helpers.upload_version(piece))
    assert all(f"/evidence/{piece}" in page for page in _pages(readers))
    assert all("; gap from" in page or "covers the" in page for page in _pages(readers))
    with acting("compliance_officer"):
        link_actions.unlink(queries.find_evidence(piece), control)
    assert all(f"/evidence/{piece}" not in page for page in _pages(readers))
    with acting("compliance_officer"):
        actions.retire(find_control(control, lock=True), reason="It is replaced.")
    assert all("No controls mapped yet" in page for page in _pages(readers))


def test_three_months_of_twelve_are_not_the_whole_period(app, acting, control):
    """Cover a new tenant, whose evidence started when the item did."""
    piece = evidence_helpers.create_evidence("Yearly report", supports=[control])
    dates = evidence_helpers.version_dates(covers=92)
    evidence_helpers.accept_version(evidence_helpers.upload_version(piece, **dates))
    page = visitor(app, "compliance_officer").get(PAGE).text
    assert "Yearly report covers the whole period" not in page
    said = re.search(r"Yearly report covers (\d+) of \d+ days", page)
    assert said and said[1] == "93"
    assert "; gap from" in page


def _pages(readers):
    return [reader.get(PAGE).text for reader in readers]


def test_the_history_shows_names_to_those_who_may_know_them_alone(app, acting, control):
    """Show names only to readers who may know them, no matter who read the page first."""
    name, _email, _role = make.PEOPLE["acme", "compliance_officer"]
    line = f"<b>{name}</b>"
    officer, auditor = visitor(app, "compliance_officer"), visitor(app, "auditor")
    for _ in range(2):
        assert line in officer.get(PAGE).text
        shown = auditor.client.get(auditor.at(PAGE))
        assert line not in shown.text


def test_who_reads_it_again_asks_for_no_line_of_the_log(app, control, statements):
    officer = visitor(app, "compliance_officer")
    with statements() as first:
        officer.get(PAGE)
        before = len(first)
        officer.get(PAGE)
        again = first[before:]
    assert any("FROM audit_entries" in each for each in first[:before])
    assert not any("FROM audit_entries" in each for each in again) and len(again) <= 2
