"""How an AI RMF report is made and what it does not show: labels and paragraphs. Pure."""

from governance.assurance.assessments.coverage import RULE
from governance.publishing.reports.built_document import short_digest
from governance.publishing.reports.figures import Figures
from governance.publishing.reports.snapshot import Snapshot
from governance.publishing.reports.wording import day, digits, many, sentence

RUNGS = tuple((level, sentence(RULE[level])) for level in reversed(range(len(RULE))))
LEVELS = (
    "The framework has no maturity scale, so Meridian uses five levels of its own. It derives each"
    " level from the controls, tests and evidence at the time shown on the cover. No one enters a"
    " level by hand. Where the assessor judges differently, the report prints both."
)
PROVEN = (
    "A requirement is proven at level 3 or above: at least one control covers it in full, and every"
    " mapped control has all its evidence accepted by a second person and current, with no failed"
    " test. A control without accepted evidence adds nothing. Evidence counts until its due date."
)
EVIDENCE = (
    "An evidence item is fresh until its due date comes near, then due, and overdue after that date."
    " It is in review until a second person accepts it, and missing when it was expected but never"
    " provided."
)
GAPS = (
    "Actions are ranked by severity: failed tests first, then other failures such as overdue"
    " evidence or a missing control, then incomplete evidence. Within a severity, the action that"
    " closes most points comes first. A level that two actions would close counts for the first of"
    " them only, so the sum never exceeds what is missing."
)
SIGN_OFF = (
    "One person writes a conclusion and another signs it off. Each signature is an entry in the"
    " audit log. The report is marked as a draft until every conclusion is signed off. Conclusions"
    " are the assessor's own words; where evidence was collected later, the report points it out."
)
LIMITS = (
    "A level shows what can be proven, not how safe a system is. Evidence kept outside Meridian is"
    " not included. The framework is voluntary, and this report is not a certificate."
)
LIMITS_LABEL = "Limits"


def method(snapshot: Snapshot, figures: Figures) -> list[tuple[str, str]]:
    framework, profile, whole = snapshot["framework"], snapshot["profile"], figures.whole
    approved = (
        f"approved on {day(profile['approved_on'])}"
        if profile["approved_on"]
        else "not yet approved"
    )
    return [
        (
            "Framework",
            (
                f"{framework['title']} {framework['version']}, {many(whole.total, 'requirement')}"
                " in scope. Requirement titles are Meridian's short summaries. The catalogue has the"
                f" digest {short_digest(framework['digest'])}."
            ),
        ),
        ("Levels", LEVELS),
        ("Proven", PROVEN),
        (
            "Target and points",
            (
                f"Each requirement's target comes from {profile['name']}, {approved}. A point is"
                f" one level of one requirement, up to its target: {digits(whole.reached)} of"
                f" {digits(whole.points)} points are reached. Coverage is that share; levels above"
                " a target do not count. It is never rounded up to 100% or down to 0%."
            ),
        ),
        ("Evidence", f"{EVIDENCE} Its digest is the SHA-256 of the file as collected."),
        ("Gaps", GAPS),
        ("Sign-off", SIGN_OFF),
        (LIMITS_LABEL, LIMITS),
    ]
