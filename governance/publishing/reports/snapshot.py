"""The frozen data of an AI RMF compliance report, and every number that the report counts from it.

    Snapshot, Requirement, Control, …   the shape of snapshot.json (schema
                                        `governance.ai-rmf-report/1`)
    canonical, fingerprint              its bytes (RFC 8785) and their SHA-256
    figures(snapshot) -> Figures        all numbers of the report, counted once
    ranked(snapshot) -> [Action]        actions by what they move, no point counted twice

Pure: no clock, no session. Instants are ISO 8601 in UTC ("2026-10-09T17:00:00Z"), days are ISO
dates. A point is one level of one requirement, up to its target; coverage is points reached over
points of the target.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict

import rfc8785

from governance.assurance.assessments.coverage import is_proven

SCHEMA = "governance.ai-rmf-report/1"
LEVELS = ("Not addressed", "Partial", "Addressed", "Evidenced", "Effective")
NEEDS_ATTENTION = ("overdue", "due", "missing", "in review")
TOP = 5  # the actions that titles speak of; more than five is a list, not a plan


# --- The shape ------------------------------------------------------------------------------------


class Tenant(TypedDict):
    name: str
    slug: str
    unit: str  # the department that sends the report; may be ""
    classification: str  # "Confidential"
    audience: str  # "Risk Committee and auditors"; may be ""


class Framework(TypedDict):
    key: str
    title: str  # "NIST AI Risk Management Framework"
    version: str
    digest: str  # of the catalogue file, hex


Period = TypedDict(
    "Period", {"from": str, "to": str}
)  # days, both included; `from` is a keyword, hence this form


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
    approved_on: str | None


class Reason(TypedDict):
    severity: Literal["bad", "warn", "open"]
    fact: str
    consequence: str
    ref: str  # what the reason points at: a control, a piece of evidence, a finding


class Conclusion(TypedDict):
    level: NotRequired[int | None]  # where the assessor's judgement differs from what was derived
    text: str
    assessor: str
    at: str


class SignOff(TypedDict):
    by: str
    at: str
    entry: str | int | None  # of the audit log


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
    """A row of the flat index: each piece of evidence once, with the control it stands behind."""

    control: str


class Control(TypedDict):
    ref: str
    title: str
    coverage: str  # "full", "partial" or ""
    status: Literal["effective", "evidenced", "due", "failing", "missing"]
    status_word: str
    owner: str | None
    last_test: Test | None
    evidence: list[Evidence]


class Requirement(TypedDict):
    ref: str
    title: str
    outcome: str
    level: int  # 0 to 4
    target: int  # 0 means: the profile sets none
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
    levels: list[int]  # how many requirements stand at level 0, 1, 2, 3, 4
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


class Revision(TypedDict):
    version: str
    date: str
    text: str
    by: str


class Document(TypedDict):
    number: str  # also the file's name, with .pdf
    version: str
    keep_until: str | None
    supersedes: str | None


class Log(TypedDict):
    """The audit log's last checkpoint when the data was frozen: what a later log has to begin
    with.
    """

    origin: str
    checkpoint: str  # "184203 entries, 2026-10-09 16:59:58 UTC"
    root: str  # base64
    note: NotRequired[str]  # the signed checkpoint itself


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
    movement: list[Movement]  # oldest first; the last is this assessment
    gaps: list[Gap]
    evidence: list[IndexedEvidence]
    findings: list[ReportedFinding]
    revisions: list[Revision]
    document: Document
    log: Log | None
    entry: NotRequired[
        str | int | None
    ]  # audit-log entry of the run, printed while there is no checkpoint
    signing_key: str


def canonical(snapshot: Mapping[str, Any]) -> bytes:
    """The bytes that are attached, hashed and kept: RFC 8785."""
    plain: dict[str, Any] = {**snapshot}
    return rfc8785.dumps(plain)


def fingerprint(data: bytes) -> str:
    """Hex SHA-256 of the canonical bytes."""
    return hashlib.sha256(data).hexdigest()


def requirements(snapshot: Snapshot) -> Iterator[Requirement]:
    for function in snapshot["functions"]:
        yield from of_function(function)


def of_function(function: Function) -> Iterator[Requirement]:
    for category in function["categories"]:
        yield from category["requirements"]


# --- The numbers ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CoveragePosition:
    """The position of a set of requirements.

    `points` of the target, `reached` of them; coverage in whole per cent.
    """

    total: int
    proven: int
    with_target: int
    at_target: int
    points: int
    reached: int
    levels: tuple[int, ...]

    @property
    def left(self) -> int:
        return self.points - self.reached

    @property
    def short(self) -> int:
        return self.with_target - self.at_target

    @property
    def coverage(self) -> int | None:
        """Rounded, but never to 100 before nothing is left nor to 0 after something is reached;
        None without target.
        """
        return per_cent(self.reached, self.points)


def per_cent(part: int, whole: int) -> int | None:
    if not whole:
        return None
    rounded = (200 * part + whole) // (2 * whole)
    if part not in {0, whole}:
        rounded = min(99, max(1, rounded))
    return rounded


def shortfall(requirement: Requirement) -> int:
    """Levels missing to the target, 0 when it is met or none is set."""
    return max(0, requirement["target"] - requirement["level"])


def is_met(requirement: Requirement) -> bool:
    return 0 < requirement["target"] <= requirement["level"]


def proven_of(levels: Mapping[int, int]) -> int:
    """How many requirements are proven, from the number at each level."""
    return sum(count for level, count in levels.items() if is_proven(level))


def proven_at(movement: Movement) -> int:
    """How many requirements were proven at the end of a period."""
    return proven_of(dict(enumerate(movement["levels"])))


def standing(rows: Iterable[Requirement]) -> CoveragePosition:
    rows = list(rows)
    levels = Counter(row["level"] for row in rows)
    return CoveragePosition(
        total=len(rows),
        proven=proven_of(levels),
        with_target=sum(row["target"] > 0 for row in rows),
        at_target=sum(map(is_met, rows)),
        points=sum(row["target"] for row in rows),
        reached=sum(min(row["level"], row["target"]) for row in rows),
        levels=tuple(levels[level] for level in range(len(LEVELS))),
    )


@dataclass(frozen=True, slots=True)
class Action:
    """A recorded action with what it adds once those before it are done; `shares` are (ref, levels
    gained).
    """

    number: int
    text: str
    shares: tuple[tuple[str, int], ...]
    points: int
    owner: str | None
    due: str | None


def ranked(snapshot: Snapshot) -> list[Action]:
    """Actions, the largest first, then the earliest due; a level that two actions close counts for
    the first only.
    """
    missing = {row["ref"]: shortfall(row) for row in requirements(snapshot)}

    def worth(gap: Gap) -> int:
        return sum(min(each["gained"], missing.get(each["ref"], 0)) for each in gap["closes"])

    ordered = sorted(
        snapshot["gaps"], key=lambda gap: (-worth(gap), gap["due"] or "9999", gap["action"])
    )
    actions = []
    for number, gap in enumerate(ordered, start=1):
        shares = []
        for each in gap["closes"]:
            gained = min(each["gained"], missing.get(each["ref"], 0))
            missing[each["ref"]] = missing.get(each["ref"], 0) - gained
            shares.append((each["ref"], gained))
        points = sum(gained for _, gained in shares)
        actions.append(
            Action(number, gap["action"], tuple(shares), points, gap["owner"], gap["due"])
        )
    return actions


@dataclass(frozen=True, slots=True)
class Figures:
    """Every count of the report."""

    whole: CoveragePosition
    by_function: dict[str, CoveragePosition]
    by_category: dict[str, CoveragePosition]
    evidence: dict[str, int]
    controls: int
    unsigned: int  # conclusions written and not signed off
    unconcluded: int  # requirements with no conclusion at all
    actions: tuple[Action, ...]
    findings: int
    findings_late: int

    @property
    def pieces(self) -> int:
        return sum(self.evidence.values())

    @property
    def attention(self) -> int:
        return sum(self.evidence.get(state, 0) for state in NEEDS_ATTENTION)

    @property
    def top(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions[:TOP] if action.points)

    @property
    def top_points(self) -> int:
        return sum(action.points for action in self.top)

    @property
    def planned(self) -> int:
        return sum(action.points for action in self.actions)


def figures(snapshot: Snapshot) -> Figures:
    rows = list(requirements(snapshot))
    today = snapshot["as_of"][:10]
    return Figures(
        whole=standing(rows),
        by_function={each["key"]: standing(of_function(each)) for each in snapshot["functions"]},
        by_category={
            each["ref"]: standing(each["requirements"])
            for function in snapshot["functions"]
            for each in function["categories"]
        },
        evidence=dict(Counter(each["state"] for each in snapshot["evidence"])),
        controls=len({control["ref"] for row in rows for control in row["controls"]}),
        unsigned=sum(row["conclusion"] is not None and row["sign_off"] is None for row in rows),
        unconcluded=sum(row["conclusion"] is None for row in rows),
        actions=tuple(ranked(snapshot)),
        findings=len(snapshot["findings"]),
        findings_late=sum(
            bool(each["retest_by"]) and str(each["retest_by"])[:10] < today
            for each in snapshot["findings"]
        ),
    )
