"""Risks above appetite and acceptances to renew, on the overview of those who may see them."""

from dataclasses import replace

from governance.assurance.risks import actions, queries
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.risks import risk_helpers
from tests.browser import words


def test_the_overview_names_the_top_risks_and_what_is_stale(as_viewer, as_neighbour):
    evidence_helpers.create_control()
    assert "View risks" not in as_viewer.get("").text
    risk = risk_helpers.create_risk()
    risk_helpers.accept(risk)
    risk_helpers.create_risk(title="Within appetite", likelihood=1, impact=2)
    with make.acting():
        content = replace(risk_helpers.CONTENT, likelihood=4)
        actions.edit(queries.find_risk(risk, lock=True), content, version=1)
    shown = words(as_viewer.get(""))
    for part in ("1 of 2 risks is above appetite; 1 acceptance is stale", "RSK-1", "given at 20"):
        assert part in shown, part
    assert "Within appetite" not in shown
    assert "RSK-1" not in words(as_neighbour.get(""))


def test_a_past_day_shows_no_risks_of_today(as_viewer):
    evidence_helpers.create_control()
    risk_helpers.create_risk()
    assert "View risks" not in as_viewer.get("?as_of=2026-01-01").text
