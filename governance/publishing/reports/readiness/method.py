"""The method and limits of a SOC 2 readiness report: labels and paragraphs. Pure."""

from collections.abc import Mapping
from typing import Any

from governance.publishing.reports.ai_rmf.method import EVIDENCE, GAPS, LIMITS_LABEL, PROVEN
from governance.publishing.reports.built_document import short_digest
from governance.publishing.reports.readiness.figures import criteria
from governance.publishing.reports.readiness.sentences import Ready
from governance.publishing.reports.wording import clip, day, digits, instant

LEVELS = (
    "The criteria have no maturity scale, so Meridian uses five levels of its own. The table below"
    " shows what each level requires."
)
FINDINGS = (
    "A finding of Type II testing is open until a retest passes. A failed test without a finding is"
    " listed on its own. The report shows findings at its own date: findings raised later are not"
    " included, and findings closed later are still open."
)
LIMITS = (
    "This report is not an auditor's opinion. Whether a control is designed well for its criterion"
    " is for the auditor to judge. Evidence kept outside Meridian is not included."
)


def method(frozen: Mapping[str, Any], say: Ready) -> list[tuple[str, str]]:
    framework, assessment, whole = frozen["framework"], frozen["assessment"], say.figures.whole
    if assessment:
        targets = (
            f"Each criterion's target comes from the assessment {clip(assessment['title'], 60)},"
            f" revision {assessment['revision']}."
        )
    else:
        targets = "No assessment sets targets, so the target is level 3, evidenced, for each."
    return [
        (
            "Criteria",
            (
                f"{framework['title']} {framework['version']}. In scope: {say.scope.lower()},"
                f" {criteria(whole.total)}. Titles are Meridian's short summaries; the text of the"
                " criteria belongs to its publisher and is not printed. The catalogue has the"
                f" digest {short_digest(framework['digest'])}."
            ),
        ),
        (
            "Status",
            (
                "A control's status follows from its tests, the dates and reviews of its evidence,"
                " and the systems it depends on. No one enters it by hand. It covers"
                f" {day(frozen['period']['from'])} to {day(frozen['period']['to'])}, as of"
                f" {instant(frozen['as_of'])}."
            ),
        ),
        ("Levels", LEVELS),
        ("Proven", PROVEN.replace("requirement", "criterion")),
        (
            "Ready",
            (
                f"{targets} A criterion is ready when it is at its target. A point is one level of"
                f" one criterion, up to its target: {digits(whole.reached)} of"
                f" {digits(whole.points)} points are reached."
            ),
        ),
        ("Evidence", f"{EVIDENCE} An item that supports several criteria counts once in totals."),
        ("Gaps", GAPS),
        ("Findings", FINDINGS),
        (LIMITS_LABEL, LIMITS),
    ]
