"""The frozen data of a SOC 2 readiness report: the criteria of some categories at an instant.

CATEGORIES                      the categories of the trust services criteria, each with its series
snapshot(categories, as_of)     plain JSON, schema `governance.soc2-readiness/1`
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from governance.assurance.assessments import report_facts
from governance.assurance.testing import exception_queries
from governance.assurance.testing.exception_queries import ExceptionCase
from governance.foundation.people.aliases import FORMER_MEMBER
from governance.foundation.people.queries import names
from governance.publishing.reports.readiness import service_levels

SCHEMA = "governance.soc2-readiness/1"
FRAMEWORK = "soc2-tsc-2017"
CATEGORIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "security": ("Security", tuple(f"CC{n}" for n in range(1, 10))),
    "availability": ("Availability", ("A1",)),
    "confidentiality": ("Confidentiality", ("C1",)),
    "integrity": ("Processing integrity", ("PI1",)),
    "privacy": ("Privacy", tuple(f"P{n}" for n in range(1, 9))),
}
type Json = dict[str, Any]


def snapshot(categories: Sequence[str], as_of: datetime) -> Json:
    """Return all data of the report. Categories are in the order of the criteria."""
    chosen = [(key, *CATEGORIES[key]) for key in CATEGORIES if key in categories]
    facts = report_facts.readiness(FRAMEWORK, {top for _, _, tops in chosen for top in tops}, as_of)
    facts["findings"] = _findings(facts, as_of)
    start = datetime.combine(date.fromisoformat(facts["period"]["from"]), time.min, UTC)
    if levels := service_levels.read(start, as_of):
        facts["service_levels"] = levels
    return facts | {
        "schema": SCHEMA,
        "categories": [{"key": k, "title": t, "series": list(tops)} for k, t, tops in chosen],
        "revisions": [],
    }


def _findings(facts: Mapping[str, Any], as_of: datetime) -> list[Json]:
    """Yield open Type II findings, then failed tests and exceptions without a finding."""
    criteria_by_control = _criteria_by_control(facts)
    cases = [
        case
        for case in exception_queries.findings(as_of)
        if case.control.ref in criteria_by_control
    ]
    people = names(case.finding.owner_id for case in cases if case.finding)
    covered = {
        ref for case in cases if case.finding for ref in (case.finding.ref, case.exception.ref)
    }
    rest = [
        each | {"control": _control(facts, each)}
        for each in facts["findings"]
        if each["ref"] not in covered
    ]
    return [*_raised(cases, criteria_by_control, people), *rest]


def _raised(
    cases: Sequence[ExceptionCase],
    criteria_by_control: Mapping[str, Sequence[str]],
    people: Mapping[Any, str],
) -> Iterator[Json]:
    for case in cases:
        if (finding := case.finding) is not None:
            yield {
                "ref": finding.ref,
                "requirement": criteria_by_control[case.control.ref][0],
                "control": case.control.ref,
                "text": finding.title,
                "opened_on": finding.created_at.date().isoformat(),
                "retest_by": finding.due_on.isoformat(),
                "owner": people.get(finding.owner_id, FORMER_MEMBER),
            }


def _criteria_by_control(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return, by control, the criteria it is mapped to."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in _rows(facts):
        for control in row["controls"]:
            found[control["ref"]].append(row["ref"])
    return found


def _control(facts: Mapping[str, Any], finding: Mapping[str, Any]) -> str:
    """Return the failing control behind a finding of the assessment's facts."""
    row = next(each for each in _rows(facts) if each["ref"] == finding["requirement"])
    failed = [
        c["ref"]
        for c in row["controls"]
        if c["last_test"] and c["last_test"]["passed"] < c["last_test"]["sample"]
    ]
    return str(finding["ref"] if finding["ref"] in failed else failed[0] if failed else "")


def _rows(facts: Mapping[str, Any]) -> Iterator[Json]:
    for function in facts["functions"]:
        for category in function["categories"]:
            yield from category["requirements"]
