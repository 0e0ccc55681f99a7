"""The requirements of a closed assessment, as they were frozen."""

from dataclasses import dataclass

from governance.assurance.assessments.framework_board import AssessedRequirement
from governance.assurance.assessments.models import Assessment


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


def frozen_rows(assessment: Assessment) -> list[FrozenRow]:
    frozen = assessment.frozen or {}
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
