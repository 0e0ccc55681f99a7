"""A tenant that has adopted everything and proven nothing: 0 everywhere, and no history."""

import csv
import io
import re
from datetime import date

import pytest
from bs4 import BeautifulSoup

from governance.assurance.assessments import assessment_actions
from governance.assurance.assessments.report_facts import readiness, snapshot
from governance.assurance.controls.starter_pack import pack
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.files.spreadsheet_reader import first_sheet
from governance.publishing.overview import queries as overview
from governance.publishing.reports.ai_rmf.figures import figures
from tests.assurance.frameworks.framework_files import main_text

RMF = "nist-ai-rmf-1.0"
SOC2 = "soc2-tsc-2017"


def text_of(reply, selector: str) -> str:
    found = BeautifulSoup(reply.text, "html.parser").select_one(selector)
    assert found, f"the page has no {selector}"
    return " ".join(found.get_text(" ").split())


@pytest.fixture
def unproven_tenant(as_officer, acting):
    """Adopt the AI RMF and the starter pack, and start an assessment, without any evidence."""
    as_officer.post(f"frameworks/{RMF}/adopt", then=303)
    as_officer.post(
        "controls/starter", refs=[each.ref for each in pack()], with_evidence="y", then=303
    )
    with acting("compliance_officer"):
        year = {"period_from": date(2026, 1, 1), "period_to": date(2026, 12, 31)}
        return assessment_actions.start_assessment(
            frameworks.framework(RMF).id, title="Q4 2026", **year
        ).id


def test_the_overview_of_a_new_tenant_reads_0(as_officer, unproven_tenant):
    page = as_officer.get("")
    functions = text_of(page, "[aria-labelledby=functions]")
    assert re.search(r"All 0 of 72 .*: 72 requirements by level .* 0% ", functions)
    assert "67%" not in page.text and "66.7" not in page.text
    assert "rose" not in main_text(page)


def test_the_overview_of_a_new_tenant_has_no_history(as_officer, acting, unproven_tenant):
    page = as_officer.get("")
    assert "in 12 months" not in page.text
    assert "Q3 20" not in text_of(page, "[aria-labelledby=quarters]")
    with acting("compliance_officer", read_only=True):
        board = overview.board()
        assert [point.at for point in overview.trend(board)] == [board.as_of]
        assert overview.movement(board) is None


def test_the_heat_map_of_a_new_tenant_reads_0(as_officer, unproven_tenant):
    page = as_officer.get(f"frameworks/{RMF}")
    assert text_of(page, "h1").startswith("0 of 72 subcategories proven, 0% coverage.")
    assert "67%" not in page.text and "in 30 days" not in page.text
    cells = BeautifulSoup(page.text, "html.parser").select("[data-heat] a.c-hc")
    assert len(cells) == 72 and all("c-hc-0" in cell["class"] for cell in cells)


def test_a_requirement_of_a_new_tenant_draws_nothing_before_its_evidence_was_begun(
    as_officer, unproven_tenant
):
    page = as_officer.get(f"frameworks/{RMF}/GOVERN-1.1")
    assert "0 Not addressed" in main_text(
        page
    ) and "Register of legal duties is missing." in main_text(page)
    assert (
        "No control is mapped, or" not in page.text
        and "no evidence of a mapped control is accepted" in page.text
    )
    assert not BeautifulSoup(page.text, "html.parser").select("main .k-hatch")


def test_the_requirements_of_a_new_tenant_read_0(as_officer, unproven_tenant):
    page = as_officer.get(f"frameworks/{RMF}/requirements")
    assert text_of(page, "h1").startswith("0 of 72 subcategories proven")
    rows = list(
        csv.DictReader(
            io.StringIO(as_officer.get(f"frameworks/{RMF}/requirements.csv").text.lstrip("\ufeff"))
        )
    )
    assert {(row["Proven"], row["Level"]) for row in rows} == {("no", "0")} and len(rows) == 72
    book = as_officer.get(f"frameworks/{RMF}/requirements.xlsx").data
    head, *cells = first_sheet(book, "requirements.xlsx", rows=100, columns=30).rows
    head, cells = head[1], [row for _, row in cells]
    assert {cell[head.index("Proven")] for cell in cells} == {"no"}


@pytest.mark.parametrize("path", ["", f"frameworks/{RMF}", f"frameworks/{RMF}/requirements"])
def test_as_of_a_day_before_anything_was_there_everything_is_0(as_officer, unproven_tenant, path):
    assert "0 of 72" in text_of(as_officer.get(f"{path}?as_of=2020-01-01"), "h1")


def test_the_reports_of_a_new_tenant_read_0(acting, unproven_tenant):
    with acting("compliance_officer", read_only=True):
        ai_rmf = snapshot(unproven_tenant, clock.now())
        soc2 = readiness(SOC2, {"CC1", "CC6"}, clock.now())
    whole = figures(ai_rmf | {"as_of": "2026-11-25T00:00:00Z"}).whole
    assert (whole.proven, whole.total, whole.coverage, whole.reached) == (0, 72, 0, 0)
    assert len(ai_rmf["movement"]) == 1
    assert {
        row["level"]
        for top in soc2["functions"]
        for each in top["categories"]
        for row in each["requirements"]
    } == {0}
