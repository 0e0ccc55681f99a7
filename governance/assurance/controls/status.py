"""The status of a control, and its reasons. Pure: it is derived from facts, never typed in.

    ControlFacts, SupportingEvidence, TestFacts    the facts about a control on some day
    Status, StatusReason                           the answer, and each fact that causes it
    status(control, …)                             failing < missing < due < evidenced < effective
    current_status(control, …)                     what levels follow from, without its reasons
    longest_gap(proof, …)                          the longest stretch no accepted version covers

A worse fact never gives a better status (tests/assurance/controls/test_status.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from governance.assurance.controls.runtime_dependencies import (
    Doubt,
    DoubtKind,
    OpenMiss,
    RuntimeFacts,
    doubts,
    doubts_of_misses,
)
from governance.assurance.evidence.freshness import (
    CORRUPTED,
    Freshness,
    Version,
    accepted_version,
    freshness,
    max_age_days,
    short_day,
)
from governance.kernel import formatting

type StatusName = Literal["effective", "evidenced", "due", "missing", "failing"]
type Severity = Literal["bad", "warn", "soon", "open"]
RANK: tuple[StatusName, ...] = ("failing", "missing", "due", "evidenced", "effective")
WORDS: dict[StatusName, str] = {
    "failing": "Failing",
    "missing": "Evidence missing",
    "due": "Due",
    "evidenced": "Evidenced",
    "effective": "Effective",
}
SEVERITIES: tuple[Severity, ...] = ("bad", "warn", "soon", "open")
MAX_EVENT_GAP_DAYS = 92  # Days; a quarter. Evidence that follows events may leave this gap.


@dataclass(frozen=True, slots=True)
class SupportingEvidence:
    """An evidence item that supports the control."""

    evidence_id: UUID
    ref: str
    title: str
    cadence: str
    due_on: date | None
    owner: str | None
    versions: tuple[Version, ...]
    owner_id: UUID | None = None
    withdrawn: str = ""  # Reason why its newest version no longer counts


@dataclass(frozen=True, slots=True)
class TestFacts:
    """A test of `sample` items of which `failed` failed.

    `of` is the Type II sample it is based on; `unsettled` is the number of its exceptions that were
    open afterwards.
    """

    __test__ = False  # Pytest must not collect it as a test class.

    tested_on: date
    sample: int
    failed: int
    finding_ref: str | None
    finding: str
    retest_by: date | None
    tester: str
    of: UUID | None = None
    unsettled: int = 0


@dataclass(frozen=True, slots=True)
class ControlFacts:
    """A control with everything that its status depends on.

    `tests` are oldest first; `mappings` are (requirement id, full or partial).
    """

    control_id: UUID
    ref: str
    title: str
    does: str
    kind: str
    automation: str
    cadence: str
    owner_id: UUID | None
    owner: str | None
    version: int
    since: date
    mappings: tuple[tuple[UUID, str], ...]
    proofs: tuple[SupportingEvidence, ...]
    tests: tuple[TestFacts, ...]
    live: RuntimeFacts | None = None
    misses: tuple[OpenMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class StatusReason:
    """A reason for a control's status. `fact` is a sentence, `consequence` its meaning or next
    step.

    `ref` and `target_id` name the object. Severity "bad": something failed or is overdue. "warn":
    evidence is missing. "soon": evidence is due but counts until its deadline. "open": only the
    highest status is out of reach.
    """

    severity: Severity
    fact: str
    consequence: str
    kind: Literal["evidence", "control", "test", "requirement"] | DoubtKind
    ref: str
    target_id: UUID | None


@dataclass(frozen=True, slots=True)
class CurrentStatus:
    """The status of a control where evidence that is due soon still counts.

    Levels depend on it. `has_evidence` is whether an accepted version supports the control.
    """

    current: StatusName
    has_evidence: bool


@dataclass(frozen=True, slots=True)
class Status(CurrentStatus):
    """The status of a control. `word` is the label of its pill, such as "Effective" or "Due 5 Dec"."""

    name: StatusName
    word: str
    reasons: tuple[StatusReason, ...]

    @property
    def rank(self) -> int:
        """The rank, from 0 (failing) to 4 (effective)."""
        return RANK.index(self.name)

    @property
    def rests(self) -> bool:
        """True if only a runtime dependency (a drill, the policy) lowers it."""
        holding = [reason for reason in self.reasons if reason.severity in {"bad", "warn"}]
        return bool(holding) and all(
            reason.kind in {"switch", "policy", "waiver", "alert", "incident", "evaluation"}
            for reason in holding
        )


type States = Sequence[tuple[SupportingEvidence, Freshness]]


def status(control: ControlFacts, *, today: date, period_from: date, period_to: date) -> Status:
    """Return the status of a control on `today`, for a period.

    failing: the last test failed an item, a sample has an open exception, or evidence is overdue
    or rejected. missing: no evidence is linked, some was never uploaded, or none was accepted.
    due: evidence is due or in review. evidenced: all of it is accepted and fresh. effective:
    also the last test passed, and accepted versions cover the period up to today with no gap
    longer than the cadence. Runtime dependencies (runtime_dependencies.py) can lower that and
    never raise it.
    """
    states, doubted = _states(control, today), _doubts(control, today)
    last, until = last_test(control), min(today, period_to)
    current = _name(control, states, last, until=until, since=period_from)
    is_due = any(fresh.state == "due" for _, fresh in states)
    name = "due" if is_due and current in {"evidenced", "effective"} else current
    reasons = [
        *_test_reasons(control, last),
        *_evidence_reasons(control, states, today),
        *map(_doubted, doubted),
    ]
    if current == "evidenced":
        reasons += _short_of_effective(control, last, until, period_from)
    ordered = tuple(sorted(reasons, key=lambda r: SEVERITIES.index(r.severity)))
    has_evidence, lowest = _has_evidence(control), _allowed(doubted)
    current = min(current, lowest, key=RANK.index)
    if RANK.index(lowest) < RANK.index(name):
        return Status(current, has_evidence, lowest, doubted[0].word, ordered)
    return Status(current, has_evidence, name, _word(name, states, last), ordered)


def current_status(
    control: ControlFacts, *, today: date, period_from: date, period_to: date
) -> CurrentStatus:
    """Return the `current` status and `has_evidence`, as `status` computes them."""
    states, until = _states(control, today), min(today, period_to)
    name = _name(control, states, last_test(control), until=until, since=period_from)
    lowest = _allowed(_doubts(control, today))
    return CurrentStatus(min(name, lowest, key=RANK.index), _has_evidence(control))


def _states(control: ControlFacts, today: date) -> States:
    return [
        (p, freshness(p.versions, cadence=p.cadence, due_on=p.due_on, today=today))
        for p in control.proofs
    ]


def _has_evidence(control: ControlFacts) -> bool:
    return any(v.review == "accepted" for proof in control.proofs for v in proof.versions)


def _doubts(control: ControlFacts, today: date) -> Sequence[Doubt]:
    return (*doubts_of_misses(control.misses), *doubts(control.live, today))


def _allowed(found: Sequence[Doubt]) -> StatusName:
    """Return the best status that the runtime dependencies allow."""
    return "effective" if not found else "failing" if found[0].severity == "bad" else "due"


def _doubted(doubt: Doubt) -> StatusReason:
    return StatusReason(
        doubt.severity, doubt.fact, doubt.consequence, doubt.kind, doubt.ref, doubt.target_id
    )


def last_test(control: ControlFacts) -> TestFacts | None:
    """Return the test that counts: the newest failure that still applies, or the newest test.

    A failure from a sample applies while any of its exceptions is open; a manual one applies until
    the next test. The newest test is the last one recorded on the latest day.
    """
    last_of = {t.of: t for t in control.tests}
    open_ones = {of for of, last in last_of.items() if of is not None and last.unsettled}
    accepted = [
        (t.tested_on, n, t)
        for n, t in enumerate(control.tests)
        if t.of is None or t.of in open_ones or not t.failed
    ]
    found = {t.of: (day, n, t) for day, n, t in accepted if t.failed and t.of in open_ones}
    newest = max(accepted, key=_age, default=None)
    if newest is None or newest[2].failed or not found:
        return newest and newest[2]
    return max(found.values(), key=_age)[2]


def _age(dated: tuple[date, int, TestFacts]) -> tuple[date, int]:
    return dated[:2]


def longest_gap(proof: SupportingEvidence, *, since: date, until: date) -> tuple[date, date] | None:
    """Return the longest gap (first day, last day) that no accepted version covers, or None."""
    longest: tuple[date, date] | None = None
    reached = since
    for version in [*_accepted(proof.versions), None]:
        begins = until + timedelta(days=1) if version is None else version.period_from
        open_until = min(begins - timedelta(days=1), until)
        if reached <= open_until and (
            longest is None or open_until - reached > longest[1] - longest[0]
        ):
            longest = (reached, open_until)
        if version is not None:
            reached = max(reached, version.period_to + timedelta(days=1))
    return longest


def is_too_long(proof: SupportingEvidence, hole: tuple[date, date] | None) -> bool:
    """Check whether a gap is longer than the cadence of the evidence allows."""
    return hole is not None and (hole[1] - hole[0]).days + 1 > (
        max_age_days(proof.cadence) or MAX_EVENT_GAP_DAYS
    )


def _name(
    control: ControlFacts,
    states: States,
    last: TestFacts | None,
    *,
    since: date,
    until: date,
) -> StatusName:
    """Return the status from the states of the evidence. Evidence due soon counts as fresh."""
    found = {fresh.state for _, fresh in states}
    if (last is not None and last.failed) or found & {"overdue", "rejected"}:
        return "failing"
    if not found or "missing" in found or not _has_evidence(control):
        return "missing"
    if "in review" in found:
        return "due"
    if last is None or any(
        is_too_long(proof, longest_gap(proof, since=since, until=until)) for proof in control.proofs
    ):
        return "evidenced"
    return "effective"


def _word(name: StatusName, states: States, last: TestFacts | None) -> str:
    found = {fresh.state: fresh for _, fresh in states}
    if name == "failing":
        if last is not None and last.failed:
            return f"{last.failed} of {last.sample} failed"
        if "overdue" in found:
            return "Evidence overdue"
        return "Evidence corrupted" if found["rejected"].says == CORRUPTED else "Evidence rejected"
    if name == "missing" and states and "missing" not in found:
        return "In review"
    if name == "due":
        return min(
            (f for _, f in states if f.state == "due"),
            key=lambda f: f.days,
            default=found.get("in review", states[0][1]),
        ).word
    return WORDS[name]


def _test_reasons(control: ControlFacts, last: TestFacts | None) -> Iterator[StatusReason]:
    if last is None or not last.failed:
        return
    retest = f" Retest by {_long(last.retest_by)}." if last.retest_by else " No retest is planned."
    consequence = f"{last.finding.rstrip('.')}.{retest}" if last.finding else retest.strip()
    samples = "sample" if last.sample == 1 else "samples"
    yield StatusReason(
        "bad",
        f"{last.failed} of {last.sample} {samples} failed.",
        consequence,
        "test",
        last.finding_ref or control.ref,
        control.control_id,
    )


def _evidence_reasons(control: ControlFacts, states: States, today: date) -> Iterator[StatusReason]:
    if not states:
        yield StatusReason(
            "warn",
            "No evidence is linked.",
            "Link an evidence item that shows the control works.",
            "control",
            control.ref,
            control.control_id,
        )
    for proof, fresh in states:
        if fresh.state != "fresh":
            yield StatusReason(
                *_evidence_sentences(proof, fresh, today), "evidence", proof.ref, proof.evidence_id
            )


def _evidence_sentences(
    proof: SupportingEvidence, fresh: Freshness, today: date
) -> tuple[Severity, str, str]:
    accepted = accepted_version(proof.versions)
    nobody = "" if proof.owner else " It has no owner."
    last = (
        f"The last accepted version covers the period until {_long(accepted.period_to)}."
        if accepted
        else proof.withdrawn or "No version has been accepted."
    )
    match fresh.state:
        case "overdue":
            return "bad", f"{proof.title} is {fresh.says}.", last + nobody
        case "rejected" if fresh.says == CORRUPTED:
            return (
                "bad",
                f"The stored file of {proof.title} is missing or corrupted.",
                "Upload it again." + nobody,
            )
        case "rejected":
            return "bad", f"{proof.title} was rejected.", "Upload a better version." + nobody
        case "missing":
            due = proof.withdrawn or (
                f"The first version is due {short_day(proof.due_on, today)}."
                if proof.due_on
                else "No version has been uploaded."
            )
            return "warn", f"{proof.title} is missing.", due + nobody
        case "in review":
            return (
                "warn",
                f"{proof.title} is in review.",
                "It counts once another person accepts it.",
            )
    return "soon", f"{proof.title} is {fresh.says}.", last + nobody


def _short_of_effective(
    control: ControlFacts, last: TestFacts | None, until: date, since: date
) -> Iterator[StatusReason]:
    if last is None:
        yield StatusReason(
            "open",
            "The control has never been tested.",
            "A passed test makes it effective.",
            "control",
            control.ref,
            control.control_id,
        )
    for proof in control.proofs:
        hole = longest_gap(proof, since=since, until=until)
        if hole is not None and is_too_long(proof, hole):
            fact = f"{proof.title} has a gap from {_long(hole[0])} to {_long(hole[1])}."
            consequence = f"The gap is longer than its cadence ({proof.cadence})."
            yield StatusReason("open", fact, consequence, "evidence", proof.ref, proof.evidence_id)


def _accepted(versions: Sequence[Version]) -> list[Version]:
    return sorted(
        (v for v in versions if v.review == "accepted"), key=lambda v: (v.period_from, v.period_to)
    )


def _long(when: date) -> str:
    return formatting.long_day(when)
