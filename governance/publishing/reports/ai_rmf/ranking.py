"""The ranking of recorded actions by severity, then by the points they close.

    ranked(snapshot) -> [Action]        no point is counted twice
    severity_of(requirement, failed)    the worst reason behind a requirement's level
    failed_refs(snapshot)               controls and findings whose last test failed

A failed test comes before other failures, those before incomplete evidence, and that before
anything never tested. Within one severity, actions that close more points come first, then those
due first. Pure.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import IntEnum

from governance.publishing.reports.ai_rmf.snapshot import (
    Gap,
    Reason,
    Requirement,
    Snapshot,
    requirements,
    shortfall,
)


class Severity(IntEnum):
    """The severity of an action or a reason, the worst first."""

    FAILED_TEST = 0
    FAILURE = 1  # Overdue or rejected evidence, a failed drill, no control at all.
    INCOMPLETE = 2
    UNTESTED = 3
    NOTHING = 4  # Nothing is left to close.


@dataclass(frozen=True, slots=True)
class Action:
    """A recorded action, with the levels that it adds once those before it are done.

    `shares` are (ref, levels gained), and `points` is their sum.
    """

    number: int
    text: str
    shares: tuple[tuple[str, int], ...]
    points: int
    owner: str | None
    due: str | None
    severity: Severity = Severity.NOTHING


def failed_refs(snapshot: Snapshot) -> frozenset[str]:
    """Return the refs of open findings, and of controls whose last test failed."""
    return frozenset(each["ref"] for each in snapshot["findings"]) | frozenset(
        control["ref"]
        for row in requirements(snapshot)
        for control in row["controls"]
        if control["last_test"] and control["last_test"]["passed"] < control["last_test"]["sample"]
    )


def reason_severity(reason: Reason, failed: Collection[str]) -> Severity:
    if reason["severity"] == "bad":
        return Severity.FAILED_TEST if reason["ref"] in failed else Severity.FAILURE
    return Severity.INCOMPLETE if reason["severity"] == "warn" else Severity.UNTESTED


def by_severity(requirement: Requirement, failed: Collection[str]) -> list[Reason]:
    """Return the reasons behind a level, the worst first."""
    return sorted(requirement["reasons"], key=lambda reason: reason_severity(reason, failed))


def severity_of(requirement: Requirement, failed: Collection[str]) -> Severity:
    if not requirement["controls"]:
        return Severity.FAILURE
    return min(
        (reason_severity(reason, failed) for reason in requirement["reasons"]),
        default=Severity.UNTESTED,
    )


def ranked(snapshot: Snapshot) -> list[Action]:
    """Return the actions in order. A level that two of them close counts for the first only."""
    rows = {row["ref"]: row for row in requirements(snapshot)}
    failed = failed_refs(snapshot)
    missing = {ref: shortfall(row) for ref, row in rows.items()}

    def worth(gap: Gap) -> int:
        return sum(min(each["gained"], missing.get(each["ref"], 0)) for each in gap["closes"])

    def severity(gap: Gap) -> Severity:
        return min(
            (
                severity_of(rows[each["ref"]], failed)
                for each in gap["closes"]
                if missing.get(each["ref"])
            ),
            default=Severity.NOTHING,
        )

    ordered = sorted(
        ((severity(gap), gap) for gap in snapshot["gaps"]),
        key=lambda pair: (pair[0], -worth(pair[1]), pair[1]["due"] or "9999", pair[1]["action"]),
    )
    actions = []
    for how_severe, gap in ordered:
        shares = []
        for each in gap["closes"]:
            gained = min(each["gained"], missing.get(each["ref"], 0))
            missing[each["ref"]] = missing.get(each["ref"], 0) - gained
            shares.append((each["ref"], gained))
        points = sum(gained for _, gained in shares)
        actions.append(
            Action(0, gap["action"], tuple(shares), points, gap["owner"], gap["due"], how_severe)
        )
    useful_first = sorted(actions, key=lambda action: not action.points)
    return [replace(action, number=number) for number, action in enumerate(useful_first, start=1)]
