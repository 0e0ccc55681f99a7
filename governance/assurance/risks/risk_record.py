"""The fields of a risk, each declared once: kernel/pages/record.py says what follows from it.

A new field: a line here, a column in models.py, a migration, and a line in a template where it has a
place of its own.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.assurance.risks import source_lists
from governance.kernel.errors import Invalid
from governance.kernel.pages.record import Field, Record
from governance.operations.systems import queries as systems

TREATMENTS = {
    "avoid": "Avoid",
    "reduce": "Reduce",
    "transfer": "Transfer",
    "accept": "Accept",
}
MAX_SYSTEMS = 50


def _step_or_none(value: Any) -> int | None:
    """Return the step as a number, or None if the value is empty."""
    return int(value) if value else None


def _systems(ids: Collection[UUID]) -> list[UUID]:
    if len(set(ids)) > MAX_SYSTEMS:
        raise Invalid(
            f"Choose up to {MAX_SYSTEMS} AI systems, or none for all of them.", field="system_ids"
        )
    return sorted(set(ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskContent:
    """The fields that people enter for a risk.

    Without systems, it concerns all of them. Without sources, it is the tenant's own risk.
    """

    title: str
    description: str
    likelihood: int
    impact: int
    treatment: str
    system_ids: Collection[UUID] = ()
    sources: Sequence[str] = ()
    plan: str = ""
    due_on: date | None = None


RISK = Record(
    RiskContent,
    "risks",
    title=Field(
        "Title",
        "line",
        required="Enter a title.",
        longest=160,
        help="What can happen, for example Approvals without a valid source.",
    ),
    description=Field(
        "Description",
        "text",
        longest=4000,
        help="Who is harmed, how, and what makes it more or less likely.",
        shown={"rows": 4},
    ),
    system_ids=Field(
        "AI systems",
        "choices",
        choices=systems.choices,
        help="The systems that have it. Without one, it concerns all of them.",
        shown={"size": 5},
        rule=_systems,
        audit="systems",
    ),
    sources=Field(
        "Sources",
        "choices",
        choices=source_lists.choices,
        longest=12,
        help="The published risks that it comes from. Without one, it is your own.",
        shown={"size": 8},
    ),
    # The steps depend on the tenant's scale: forms.py offers them, scales.py checks them.
    likelihood=Field(
        "Likelihood",
        "choice",
        asks="Likelihood before controls",
        required="Choose a likelihood.",
        coerce=_step_or_none,
    ),
    impact=Field(
        "Impact",
        "choice",
        asks="Impact before controls",
        required="Choose an impact.",
        coerce=_step_or_none,
    ),
    treatment=Field(
        "Treatment",
        "choice",
        choices=tuple(TREATMENTS.items()),
        default="reduce",
        help="A risk that you accept needs a second person's acceptance.",
        column="optional",
        sort=True,
        file="Treatment",
        fact=True,
        report="treatment",
    ),
    plan=Field(
        "Plan",
        "text",
        asks="Treatment plan",
        longest=4000,
        help="What you do about it, and who does it.",
        shown={"rows": 3},
        file="Plan",
        beside="treatment",
        fact=True,
    ),
    due_on=Field(
        "Plan due",
        "day",
        noun="due date",
        file="Plan due",
        beside="treatment",
        fact=True,
        report="plan due",
    ),
)
