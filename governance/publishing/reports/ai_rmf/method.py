"""The method and limits of an AI RMF report: labels and paragraphs. Pure."""

from governance.assurance.assessments.coverage import RULE
from governance.publishing.reports.ai_rmf.figures import Figures
from governance.publishing.reports.ai_rmf.risk_section import SCALE
from governance.publishing.reports.ai_rmf.snapshot import Profile, Snapshot
from governance.publishing.reports.built_document import short_digest
from governance.publishing.reports.wording import day, digits, many, sentence

RUNGS = tuple((level, sentence(RULE[level])) for level in reversed(range(len(RULE))))
LEVELS = (
    "The framework has no maturity scale; Meridian uses five levels of its own. It derives them"
    " from the controls, tests and evidence at the time on the cover. Where the assessor judges"
    " differently, the report prints both."
)
PROVEN = (
    "A requirement is proven at level 3 or above: at least one control covers it in full, and every"
    " mapped control has all its evidence accepted by a second person and current, with no failed"
    " test. A control without accepted evidence adds nothing. Evidence counts until its due date."
)
EVIDENCE = (
    "An evidence item is fresh, then due shortly before its due date, and overdue after it. It is"
    " in review until a second person accepts it, and missing if it was expected but not provided."
)
GAPS = (
    "Actions are ranked by severity: failed tests, then other failures, then incomplete evidence;"
    " within a severity, by the points they close. A level that two actions would close counts only"
    " for the first."
)
SIGN_OFF = (
    "One person writes a conclusion in their own words and another signs it off; each signature is"
    " an audit log entry. Until all are signed off, the report is a draft. It points out evidence"
    " that was collected after a conclusion."
)
LIMITS = (
    "A level shows what can be proven, not how safe a system is. Evidence kept outside Meridian is"
    " not included. The framework is voluntary, and this report is not a certificate."
)
LIMITS_LABEL = "Limits"


def targets_set(profile: Profile) -> str:
    """Return "Target profile 2026, set on 14 January 2026 by Ana Ruiz"."""
    if not profile["set_on"]:
        return profile["name"]
    who = f" by {profile['set_by']}" if profile["set_by"] else ""
    return f"{profile['name']}, set on {day(profile['set_on'])}{who}"


def method(snapshot: Snapshot, figures: Figures) -> list[tuple[str, str]]:
    framework, profile, whole = snapshot["framework"], snapshot["profile"], figures.whole
    return [
        (
            "Framework",
            (
                f"{framework['title']} {framework['version']}, {many(whole.total, 'requirement')}"
                " in scope. Requirement titles are Meridian's short summaries. The catalogue has"
                f" the digest {short_digest(framework['digest'])}."
            ),
        ),
        ("Levels", LEVELS),
        ("Proven", PROVEN),
        (
            "Target and points",
            (
                f"Each requirement's target comes from {targets_set(profile)}. A point is"
                f" one level of one requirement, up to its target: {digits(whole.reached)} of"
                f" {digits(whole.points)} points are reached. Coverage is that share; levels above"
                " a target do not count. It is never rounded up to 100% or down to 0%."
            ),
        ),
        ("Evidence", f"{EVIDENCE} Its digest is the SHA-256 of the file as collected."),
        ("Gaps", GAPS),
        *([("Risks", SCALE)] if "risks" in snapshot else []),
        ("Sign-off", SIGN_OFF),
        (LIMITS_LABEL, LIMITS),
    ]
