"""The section on risks of the AI RMF report, compared with the record."""

import io
import re
from datetime import date
from typing import Any
from uuid import UUID

import pdfplumber
import pikepdf
import pytest

from governance.assurance.assessments import assessment_actions, assessment_queries, report_facts
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.risks.report_facts import reported_risks
from governance.kernel import clock
from governance.kernel.pictures import pdf
from governance.publishing.reports.ai_rmf.document import build
from governance.publishing.reports.ai_rmf.risk_section import RiskSection, risks_csv
from tests import make
from tests.assurance.risks import risk_helpers
from tests.publishing.reports import rmf_samples

type Position = dict[str, Any]


def position(system_id: Any = None) -> Position:
    with make.acting("compliance_officer", read_only=True):
        return reported_risks(system_id)


def test_each_open_risk_is_reported_with_its_scores_and_its_acceptance(database: None) -> None:
    risk, control = risk_helpers.create_risk(), risk_helpers.create_effective_control()
    risk_helpers.create_risk(title="Unbounded use", likelihood=2, impact=2)
    risk_helpers.mitigate(risk, control, steps=2)
    risk_helpers.accept(risk)
    first, second = position()["open"]
    assert (first["ref"], first["likelihood"] * first["impact"]) == ("RSK-1", 20)
    assert first["residual_likelihood"] * first["residual_impact"] == 12
    assert first["is_above_appetite"] and first["controls"] == "1 of 1 effective"
    given = first["acceptance"]
    assert (given["state"], given["score"], given["by"]) == ("accepted", 12, "Jun Chen")
    assert given["on"] == clock.today().isoformat() < given["until"]
    assert (second["ref"], second["acceptance"]["state"]) == ("RSK-2", "not_needed")
    risk_helpers.record_test(control, failed=12)
    (first, _) = position()["open"]
    assert (first["acceptance"]["state"], first["fails"]) == ("stale", True)


def test_a_report_on_one_system_has_its_risks_and_those_of_all(database: None) -> None:
    triage, support = (risk_helpers.create_system(key) for key in ("triage", "support"))
    for title, systems in (("One", [triage]), ("Two", [support]), ("Three", [])):
        risk_helpers.create_risk(title=title, system_ids=systems)
    assert {each["title"] for each in position(triage)["open"]} == {"One", "Three"}
    assert len(position()["open"]) == 3


def test_the_title_and_the_heat_maps_count_the_same_risks() -> None:
    section = RiskSection(rmf_samples.sample_snapshot()["risks"])
    assert section.title == "Three of seven risks are above the appetite; one acceptance is stale"
    before, after = section.maps
    assert (before.title, after.title) == (
        "Before controls: 6 of 7 above the appetite",
        "After controls: 3 of 7 above the appetite",
    )
    for heat in (before, after):
        assert sum(cell.count for _, _, cells in heat.rows for cell in cells) == 7
        assert all(cell.mark for _, _, cells in heat.rows for cell in cells)


def test_what_no_longer_holds_comes_first() -> None:
    section = RiskSection(rmf_samples.sample_snapshot()["risks"])
    assert [each["acceptance"]["state"] for each in section.acceptances] == [
        "stale",
        "expiring",
        "accepted",
        "requested",
    ]


def test_a_risk_on_a_scale_with_other_steps_is_listed_and_not_on_the_map() -> None:
    made = rmf_samples.sample_snapshot()["risks"]
    made["open"][0].update(is_comparable=False, likelihood=7)
    section = RiskSection(made)
    assert "One risk is missing from the heat maps" in section.lede
    assert section.maps[0].title == "Before controls: 5 of 6 above the appetite"
    assert made["open"][0] in section.top


def test_without_risks_the_section_says_so_and_without_the_record_it_is_left_out() -> None:
    assert "No open risk is recorded" in build(rmf_samples.first_day()).html
    assert "heat risk" not in build(rmf_samples.first_day()).html
    before = rmf_samples.all_at_target()
    assert 'id="risks"' not in build(before).html
    assert "risks.csv" not in {each.name for each in build(before).attachments}


def test_sections_after_it_are_numbered_on() -> None:
    for made, first in ((rmf_samples.sample_snapshot(), 5), (rmf_samples.all_at_target(), 4)):
        html = re.sub(r"\s+", " ", build(made).html)
        assert f'<span class="topic">{first} GOVERN</span>' in html
        assert f'<p class="kicker">{first} GOVERN</p>' in html


def test_text_of_a_risk_is_escaped_and_its_csv_cannot_be_made_to_run() -> None:
    made = rmf_samples.one_requirement()
    made["risks"]["open"][0].update(title="=1+1", owner="<b>P. Nair</b>")
    html = build(made).html
    assert "<b>P. Nair" not in html and "&lt;b&gt;P. Nair" in html
    assert b"'=1+1" in risks_csv(made["risks"])


@pytest.mark.slow
def test_the_pdf_prints_the_risks_with_their_acceptances_and_attaches_them_all() -> None:
    made = rmf_samples.one_requirement()
    made["risks"]["open"] = rmf_samples.sample_snapshot()["risks"]["open"]
    built = build(made)
    content = pdf.render(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    with pdfplumber.open(io.BytesIO(content)) as printed:
        text = " ".join((page.extract_text() or "") for page in printed.pages)
    text = " ".join(text.split())
    for part in (
        "Three of seven risks are above the appetite",
        "After controls: 3 of 7 above the appetite",
        "RSK-31 Approvals without a valid source",
        "All seven open risks",
        "GRD-02 fails since 5 October",
        "8 Dec 2026",
    ):
        assert part in text, part
    with pikepdf.open(io.BytesIO(content)) as document:
        assert "risks.csv" in document.attachments


def test_a_closed_assessment_keeps_the_risks_of_the_day_it_was_closed(database: None) -> None:
    risk_helpers.create_risk()
    with make.acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        assessment = assessment_actions.start_assessment(
            frameworks.framework("nist-ai-rmf-1.0").id,
            title="Q4 2026",
            period_from=date(2026, 10, 1),
            period_to=date(2026, 12, 31),
        ).id
    titles = reported_titles(assessment)
    with make.acting("compliance_officer"):
        found = assessment_queries.assessment(assessment)
        assessment_actions.close_assessment(found, accept_open=True)
    risk_helpers.create_risk(title="Found later")
    assert reported_titles(assessment) == titles == [risk_helpers.CONTENT.title]


def reported_titles(assessment: UUID) -> list[str]:
    with make.acting("compliance_officer", read_only=True):
        facts = report_facts.snapshot(assessment, clock.now())
        return [each["title"] for each in facts["risks"]["open"]]
