"""Every number of an AI RMF report, counted once from its snapshot.

    figures(snapshot) -> Figures        all counts that sentences, tables and drawings share
    position_of(rows)                   proven, points and coverage of some requirements

A point is one level of one requirement, up to its target. Coverage is points reached over points
of the target. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.assurance.assessments.coverage import is_proven
from governance.publishing.reports.ai_rmf.ranking import Action, ranked
from governance.publishing.reports.ai_rmf.snapshot import (
    LEVELS,
    NEEDS_ATTENTION,
    Movement,
    Requirement,
    Snapshot,
    is_met,
    of_function,
    requirements,
)
from governance.publishing.reports.wording import per_cent

MAX_NAMED_ACTIONS = 5  # In titles. More than five is a list, not a plan.


@dataclass(frozen=True, slots=True)
class CoveragePosition:
    """The position of a set of requirements.

    `points` counts the target's points, `reached` those that are reached. Coverage is in whole
    percent.
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
        """The rounded coverage, or None without a target.

        It never rounds to 100 before everything is reached, nor to 0 after something is reached.
        """
        return per_cent(self.reached, self.points)


def proven_of(levels: Mapping[int, int]) -> int:
    """Return how many requirements are proven, from the number at each level."""
    return sum(count for level, count in levels.items() if is_proven(level))


def proven_at(movement: Movement) -> int:
    """Return how many requirements were proven at the end of a period."""
    return proven_of(dict(enumerate(movement["levels"])))


def position_of(rows: Iterable[Requirement]) -> CoveragePosition:
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
class Figures:
    """Every count of the report."""

    whole: CoveragePosition
    by_function: dict[str, CoveragePosition]
    by_category: dict[str, CoveragePosition]
    evidence: dict[str, int]
    controls: int
    unsigned: int  # Conclusions written and not signed off.
    unconcluded: int  # Requirements without a conclusion.
    actions: tuple[Action, ...]
    findings: int
    findings_late: int

    @property
    def evidence_items(self) -> int:
        return sum(self.evidence.values())

    @property
    def needing_attention(self) -> int:
        return sum(self.evidence.get(state, 0) for state in NEEDS_ATTENTION)

    @property
    def top(self) -> tuple[Action, ...]:
        return tuple(action for action in self.actions[:MAX_NAMED_ACTIONS] if action.points)

    @property
    def top_points(self) -> int:
        return sum(action.points for action in self.top)

    @property
    def planned(self) -> int:
        return sum(action.points for action in self.actions)

    @property
    def most_points(self) -> int:
        """The points of the largest action: the full width of a bar."""
        return max((action.points for action in self.actions), default=0)


def figures(snapshot: Snapshot) -> Figures:
    rows = list(requirements(snapshot))
    today = snapshot["as_of"][:10]
    return Figures(
        whole=position_of(rows),
        by_function={each["key"]: position_of(of_function(each)) for each in snapshot["functions"]},
        by_category={
            each["ref"]: position_of(each["requirements"])
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
