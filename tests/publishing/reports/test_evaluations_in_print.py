"""Evaluations behind a control in the report's PDF, as they were judged."""

import io
from typing import Any

import pikepdf
import pytest

from governance.kernel.pictures import pdf
from governance.publishing.reports import kinds
from governance.publishing.reports.signatures.page_text import page_text
from tests.publishing.reports import rmf_samples

pytestmark = pytest.mark.slow

WHY = "Judged before openai/judge-1, version 2026-11-20 became the judge"
PASSED: dict[str, Any] = {
    "measure": "Hallucination",
    "system": "Claims triage",
    "suite": "Claims grounding, version 3",
    "figure": "1.2%",
    "interval": "0.7 to 2.0%",
    "cases": 1200,
    "limit": "≤ 3.0%",
    "verdict": "pass",
    "week": "2026-10-05",
    "sha256": "ab" * 32,
}


def closed_up(text: str) -> str:
    """Return the text without spaces, since a line of a PDF ends without one."""
    return "".join(text.split())


def printed(evaluation: dict[str, Any]) -> str:
    """Return the PDF's text without spaces, for a report whose first control has this result."""
    made = rmf_samples.one_requirement()
    row = made["functions"][0]["categories"][0]["requirements"][0]
    row["controls"][0]["evaluations"] = [evaluation]
    built = kinds.build(made)
    content = pdf.render_in_child(
        built.html, attachments=built.attachments, at=built.at, identifier=built.identifier
    )
    with pikepdf.open(io.BytesIO(content)) as file:
        return closed_up("".join(page_text(page) for page in file.pages))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "Pass"),
        ({"verdict": "fail", "figure": "4.6%", "interval": "3.2 to 6.4%"}, "Fail"),
        ({"verdict": "undecided", "why": WHY}, "Undecided"),
    ],
    ids=["pass", "fail", "judge"],
)
def test_a_measure_is_printed_with_interval_cases_limit_verdict_and_its_judge(changes, says):
    given = PASSED | changes
    text = printed(given)
    figure = f"{given['figure']} ({given['interval']}) of 1,200 cases, limit ≤ 3.0%"
    assert closed_up(f"Hallucination of Claims triage: {figure}") in text
    assert closed_up("Claims grounding, version 3") in text and says in text
    assert (closed_up(WHY) in text) == ("why" in changes)


def test_a_measure_that_no_case_has_is_printed_without_a_figure():
    text = printed(PASSED | {"verdict": "none", "cases": 0, "figure": "unknown", "interval": ""})
    assert "Noresult" in text and "unknown" not in text
