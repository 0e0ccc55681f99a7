"""The AI RMF compliance report: an assessment's facts, with the document's title and number."""

from datetime import date
from typing import Any

from governance.assurance.assessments import report_facts as assessments
from governance.publishing.reports.ai_rmf.snapshot import SCHEMA
from governance.publishing.reports.models import ReportRun

ORDINALS = ("first", "second", "third", "fourth")


def snapshot(report: ReportRun) -> dict[str, Any]:
    """Return the assessment's facts at the run's instant, with the document's title and number."""
    if report.assessment_id is None:
        raise RuntimeError("an AI RMF report names its assessment")
    facts = assessments.snapshot(report.assessment_id, report.as_of)
    until = date.fromisoformat(facts["assessment"]["period"]["to"])
    facts["assessment"]["title"] = (
        f"AI risk management: position in the {ORDINALS[(until.month - 1) // 3]} quarter of"
        f" {until.year}"
    )
    document = {
        "number": (
            f"RMF-{_scope(facts['assessment']['scope'])}{until.year}-Q{(until.month + 2) // 3}"
        ),
        "version": f"{facts['assessment']['revision']}.0",
        "until": until,
    }
    return facts | {"schema": SCHEMA, "document": document}


def _scope(scope: str) -> str:
    """Return the scope part of a number: the system, or nothing for the entire organization."""
    return "" if scope == "organisation" else f"{scope.upper()}-"
