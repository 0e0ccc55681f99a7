"""The frozen data of an AI RMF compliance report.

    Snapshot, Requirement, Control, …   the shape of snapshot.json (schema
                                        `governance.ai-rmf-report/1`)
    canonical, fingerprint              its bytes (RFC 8785) and their SHA-256
    requirements, of_function           walk its requirements
    shortfall, is_met                   a requirement against its target

Pure: no clock, no session. Instants are ISO 8601 in UTC ("2026-10-09T17:00:00Z"), days are ISO
dates.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NotRequired, TypedDict

import rfc8785

SCHEMA = "governance.ai-rmf-report/1"
LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
NEEDS_ATTENTION = ("overdue", "due", "missing", "in review")


class Tenant(TypedDict):
    name: str
    slug: str
    unit: str  # The department that sends the report. May be "".
    classification: str  # "Confidential"
    audience: str  # "Risk Committee and auditors"; may be ""


class Framework(TypedDict):
    key: str
    title: str  # "NIST AI Risk Management Framework"
    version: str
    digest: str  # Of the catalog file, in hex.


Period = TypedDict(
    "Period", {"from": str, "to": str}
)  # Days, both included. `from` is a keyword, hence this form.


class Assessment(TypedDict):
    title: str
    revision: str
    scope: str  # "organisation" or the ref of one AI system
    scope_text: str
    period: Period
    status: Literal["open", "closed"]
    closed_at: str | None
    digest: str | None


class Profile(TypedDict):
    name: str
    set_on: str | None  # The day of the last change of a target.
    set_by: str | None


class Reason(TypedDict):
    severity: Literal["bad", "warn", "open"]
    fact: str
    consequence: str
    ref: str  # The object of the reason: a control, an evidence item or a finding.


class Conclusion(TypedDict):
    level: NotRequired[int | None]  # Set if the assessor's judgment differs from the derived level.
    text: str
    assessor: str
    at: str


class SignOff(TypedDict):
    by: str
    at: str
    entry: str | int | None  # Of the audit log.


class Test(TypedDict):
    at: str
    sample: int
    passed: int
    note: str


class Evidence(TypedDict):
    ref: str
    title: str
    state: Literal["fresh", "due", "overdue", "missing", "in review"]
    collected_on: str | None
    due_on: str | None
    period_from: str | None
    period_to: str | None
    sha256: str | None
    source: str
    collector: str


class IndexedEvidence(Evidence):
    """A row of the flat index: each evidence item once, with the first control it supports."""

    control: str


class Evaluation(TypedDict):
    """The newest result of a measure that a control depends on, for one AI system."""

    measure: str
    system: str
    suite: str
    figure: str
    interval: str
    cases: int
    limit: str
    verdict: Literal["pass", "fail", "undecided", "none"]
    week: str
    sha256: str  # Of the run's file.
    why: NotRequired[str]  # Why it is undecided, if its judge is the reason.


class Control(TypedDict):
    ref: str
    title: str
    coverage: str  # "full", "partial" or ""
    status: Literal["effective", "evidenced", "due", "failing", "missing"]
    status_word: str
    owner: str | None
    last_test: Test | None
    evidence: list[Evidence]
    evaluations: NotRequired[list[Evaluation]]  # Set if the control depends on measures.


class Requirement(TypedDict):
    ref: str
    title: str
    outcome: str
    level: int  # 0 to 4
    target: int  # 0 if the profile sets none.
    reasons: list[Reason]
    derived_text: str
    conclusion: Conclusion | None
    sign_off: SignOff | None
    owner: str | None
    controls: list[Control]


class Category(TypedDict):
    ref: str
    title: str
    requirements: list[Requirement]


class Function(TypedDict):
    key: str
    title: str
    categories: list[Category]


class Movement(TypedDict):
    label: str
    at: str
    levels: list[int]  # How many requirements are at level 0, 1, 2, 3 and 4.
    at_target: int


class Closes(TypedDict):
    ref: str
    gained: int


class Gap(TypedDict):
    action: str
    closes: list[Closes]
    points: int
    owner: str | None
    due: str | None


class ReportedFinding(TypedDict):
    ref: str
    requirement: str
    text: str
    opened_on: str
    retest_by: str | None
    owner: str | None


class ReportedScale(TypedDict):
    """The scale that risks are scored on. `bands` are (key, name, lowest, highest score)."""

    number: int
    likelihood: list[str]
    impact: list[str]
    bands: list[tuple[str, str, int, int]]
    appetite: int


class ReportedAcceptance(TypedDict):
    """The acceptance of a risk.

    `state` is "not_needed", "none", "requested", "accepted", "expiring", "stale" or "expired".
    """

    state: str
    score: int | None  # The score that was accepted or is to be.
    by: str | None
    on: str | None
    until: str | None
    reason: str  # Why it is stale.


class ReportedRisk(TypedDict):
    """An open risk. `scale` is the version that its scores are on."""

    ref: str
    title: str
    systems: list[str]  # Empty if it concerns all.
    sources: str
    likelihood: int
    impact: int
    residual_likelihood: int
    residual_impact: int
    scale: int
    is_comparable: bool  # Compared with the scale in use. Others are missing from the heat map.
    is_above_appetite: bool
    band: str
    treatment: str
    due_on: str | None
    owner: str | None
    controls: str
    fails: bool  # Whether one of these controls fails.
    acceptance: ReportedAcceptance


class RiskPosition(TypedDict):
    """The open risks on a day, the highest residual score first."""

    on: str
    scale: ReportedScale
    open: list[ReportedRisk]


class Revision(TypedDict):
    version: str
    date: str
    text: str
    by: str


class Document(TypedDict):
    number: str  # Shared by all editions. With the version it names the file.
    version: str
    keep_until: str | None
    supersedes: str | None


class Log(TypedDict):
    """The audit log's last checkpoint when the data was frozen. A later log must start with it."""

    origin: str
    checkpoint: str  # "184203 entries, 2026-10-09 16:59:58 UTC"
    root: str  # In base64.
    note: NotRequired[str]  # The signed checkpoint itself.


class Snapshot(TypedDict):
    schema: str
    tenant: Tenant
    framework: Framework
    assessment: Assessment
    as_of: str
    prepared_by: str
    requested_at: str
    profile: Profile
    functions: list[Function]
    movement: list[Movement]  # The oldest first. The last is this assessment.
    gaps: list[Gap]
    evidence: list[IndexedEvidence]
    findings: list[ReportedFinding]
    revisions: list[Revision]
    risks: NotRequired[RiskPosition]  # Set if the tenant records risks.
    document: Document
    log: Log | None
    entry: NotRequired[
        str | int | None
    ]  # Audit-log entry of the run, printed while there is no checkpoint.
    signing_key: str
    without_names_of: NotRequired[str]  # The fingerprint of the file with names.


def canonical(snapshot: Mapping[str, Any]) -> bytes:
    """Return the bytes that are attached, hashed and stored: RFC 8785."""
    plain: dict[str, Any] = {**snapshot}
    return rfc8785.dumps(plain)


def fingerprint(data: bytes) -> str:
    """Return the hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(data).hexdigest()


def requirements(snapshot: Snapshot) -> Iterator[Requirement]:
    for function in snapshot["functions"]:
        yield from of_function(function)


def of_function(function: Function) -> Iterator[Requirement]:
    for category in function["categories"]:
        yield from category["requirements"]


def shortfall(requirement: Requirement) -> int:
    """Return how many levels are missing to the target. 0 when it is met or none is set."""
    return max(0, requirement["target"] - requirement["level"])


def is_met(requirement: Requirement) -> bool:
    return 0 < requirement["target"] <= requirement["level"]
