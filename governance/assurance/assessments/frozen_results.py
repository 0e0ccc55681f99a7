"""The requirements of a closed assessment, as they were frozen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from governance.assurance.assessments.framework_board import AssessedRequirement
from governance.assurance.assessments.models import Assessment
from governance.assurance.assessments.report_facts import frozen_for_reader


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A requirement as it was when its assessment was closed."""

    ref: str
    title: str
    level: int
    target: int
    concluded: int | None
    assessor: str | None
    signer: str | None

    @property
    def path(self) -> str:
        return self.ref.replace(" ", "-")


# Shown if results were frozen only with names and the reader may not see names.
HIDDEN = "Name hidden"


def frozen_rows(assessment: Assessment) -> list[FrozenRow]:
    """Return the frozen rows, with people named as this reader sees them."""
    frozen, _digest = frozen_for_reader(assessment)
    if frozen is not None or assessment.frozen is None:
        return _rows(frozen or {})
    return [
        replace(row, assessor=row.assessor and HIDDEN, signer=row.signer and HIDDEN)
        for row in _rows(assessment.frozen)
    ]


def _rows(frozen: Mapping[str, Any]) -> list[FrozenRow]:
    return [
        FrozenRow(
            each["ref"],
            each["title"],
            each["level"],
            each["target"],
            (each["conclusion"] or {}).get("level"),
            (each["conclusion"] or {}).get("assessor"),
            (each["sign_off"] or {}).get("by"),
        )
        for function in frozen.get("functions", ())
        for category in function["categories"]
        for each in category["requirements"]
    ]


def as_frozen(row: AssessedRequirement) -> FrozenRow:
    judged = row.judgement
    return FrozenRow(
        row.ref,
        row.requirement.title,
        row.derived.level,
        row.target,
        judged.level if judged else None,
        judged.assessor if judged else None,
        judged.signer if judged else None,
    )
