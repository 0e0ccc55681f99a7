"""Every number of a SOC 2 readiness report, counted from its snapshot. Pure.

It counts as the AI RMF report does (figures.py). A criterion is ready when it is at its target.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from governance.publishing.reports.ai_rmf.figures import CoveragePosition, position_of
from governance.publishing.reports.ai_rmf.sentences import Sentences
from governance.publishing.reports.ai_rmf.snapshot import (
    Requirement,
    of_function,
    requirements,
    shortfall,
)
from governance.publishing.reports.wording import many, out_of

STATES = ("fresh", "due", "in review", "overdue", "missing")
type Json = Mapping[str, Any]


def criteria(count: int) -> str:
    return many(count, "criterion", "criteria")


def of_criteria(part: int, whole: int) -> str:
    """Return "two of seven criteria" or "24 of 61 criteria"."""
    return out_of(part, whole, "criterion", "criteria")


class ReadinessFigures(Sentences):
    """The counts and lists of a snapshot, in addition to the figures of every assessment."""

    @property
    def json(self) -> Json:
        return dict(self.snapshot)

    @cached_property
    def rows(self) -> list[Requirement]:
        return list(requirements(self.snapshot))

    @cached_property
    def by_category(self) -> dict[str, CoveragePosition]:
        """The position of each chosen category, by its title."""
        under = {f["key"]: list(of_function(f)) for f in self.snapshot["functions"]}
        return {
            each["title"]: position_of(
                [row for top in each["series"] for row in under.get(top, ())]
            )
            for each in self.json["categories"]
        }

    @cached_property
    def unanswered(self) -> list[Requirement]:
        """Criteria without a control."""
        return [row for row in self.rows if not row["controls"]]

    @cached_property
    def failing(self) -> list[tuple[Json, list[Requirement]]]:
        """Failing controls with their criteria, the control with the most criteria first."""
        found: dict[str, tuple[Json, list[Requirement]]] = {}
        for row in self.rows:
            for control in row["controls"]:
                if control["status"] == "failing":
                    found.setdefault(control["ref"], (control, []))[1].append(row)
        return sorted(
            found.values(),
            key=lambda pair: (
                pair[0]["ref"] not in self.failed_refs,
                -len(pair[1]),
                pair[0]["ref"],
            ),
        )

    @cached_property
    def states(self) -> Counter[str]:
        """Count the evidence items in each state."""
        return Counter(each["state"] for each in self.snapshot["evidence"])

    @cached_property
    def ownerless(self) -> list[Requirement]:
        return [row for row in self.rows if shortfall(row) and not row["owner"]]

    def evidence_of(self, row: Requirement) -> list[tuple[str, int]]:
        """Return how many of a criterion's evidence items are in each state, the best state first."""
        seen = {
            item["ref"]: item["state"]
            for control in row["controls"]
            for item in control["evidence"]
        }
        counted: Counter[str] = Counter(seen.values())
        return [(state, counted[state]) for state in STATES if counted[state]]
