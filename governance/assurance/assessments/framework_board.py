"""A framework with its requirements, levels, targets and conclusions, as values. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from governance.assurance.assessments.coverage import (
    CoverageGap,
    DerivedLevel,
    RequirementLevel,
    Share,
    coverage,
    gaps,
)
from governance.assurance.controls.control_ledger import Ledger
from governance.assurance.frameworks.queries import FrameworkView, RequirementView
from governance.kernel import clock
from governance.kernel.data.tenant_cache import BoundedCache

DEFAULT_TARGET = 3
YEAR_BEFORE = timedelta(days=364)  # A year, counting the day itself
_DERIVED = BoundedCache(256)  # Boards of all tenants together
FUNCTIONS = ("GOVERN", "MAP", "MEASURE", "MANAGE")


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """An assessment without the results that closing froze."""

    id: UUID
    framework_id: UUID
    title: str
    scope: str
    period_from: date
    period_to: date
    revision: int
    closed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """The columns of an assessment item, read only."""

    id: UUID
    requirement_id: UUID
    target: int
    owner_id: UUID | None
    due_on: date | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """The last revision of a conclusion, with its sign-off if there is one."""

    id: UUID
    revision: int
    level: int
    rationale: str
    concluded_by: UUID
    assessor: str
    at: datetime
    return_reason: str | None
    signer: str | None
    signed_at: datetime | None
    entry_id: UUID | None


@dataclass(frozen=True, slots=True)
class AssessedItem:
    """An item of an assessment with its owner and last conclusion."""

    row: ItemFacts
    ref: str
    owner: str | None
    judgement: Judgement | None

    @property
    def conclusion(self) -> Judgement | None:
        return self.judgement


@dataclass(frozen=True, slots=True)
class AssessedRequirement:
    """One requirement with its derived level, target and judgement."""

    requirement: RequirementView
    derived: DerivedLevel
    target: int
    item: AssessedItem | None
    function: str = ""

    @property
    def ref(self) -> str:
        return self.requirement.ref

    @property
    def requirement_level(self) -> RequirementLevel:
        return RequirementLevel(self.ref, self.derived.level, self.target, self.function)

    @property
    def judgement(self) -> Judgement | None:
        return self.item.judgement if self.item else None

    @property
    def due_on(self) -> date | None:
        return self.item.row.due_on if self.item else None

    @property
    def is_overdue(self) -> bool:
        """True if evidence for the requirement is overdue."""
        return any(
            reason.kind == "evidence" and reason.severity == "bad" and "overdue" in reason.fact
            for reason in self.derived.reasons
        )

    @property
    def owner(self) -> str | None:
        if self.item is not None and self.item.owner:
            return self.item.owner
        return next(
            (control.owner for control, _, _ in self.derived.controls if control.owner), None
        )


@dataclass(frozen=True, slots=True)
class FrameworkBoard:
    """A framework at a moment: its tree, its assessment and a row for each requirement.

    `ledger` derives other days without another statement. A cached board has a `token` that
    identifies it. Boards with other rows have no token, or another one.
    """

    framework: FrameworkView
    tree: tuple[RequirementView, ...]
    rows: tuple[AssessedRequirement, ...]
    assessment: AssessmentFacts | None
    as_of: datetime
    period: tuple[date, date]
    ledger: Ledger
    token: object = None

    def row(self, ref: str) -> AssessedRequirement | None:
        return next((row for row in self.rows if row.ref == ref), None)

    @property
    def share(self) -> Share:
        return self._once("share", lambda: coverage(row.requirement_level for row in self.rows))

    @property
    def gaps(self) -> list[CoverageGap]:
        return list(self._once("gaps", lambda: gaps([row.requirement_level for row in self.rows])))

    def _once[T](self, name: str, make: Callable[[], T]) -> T:
        """Return the result of `make`, computed once per cached board."""
        return make() if self.token is None else _DERIVED.get((self.token, name), make)

    @property
    def is_past(self) -> bool:
        return self.as_of.date() < clock.today()

    @property
    def is_open(self) -> bool:
        """True while conclusions, owners and targets can change."""
        return (
            self.assessment is not None and self.assessment.closed_at is None and not self.is_past
        )

    @property
    def functions(self) -> list[RequirementView]:
        """The top nodes of the tree. Empty for a flat list."""
        return [node for node in self.tree if node.depth == 1 and not node.assessable]

    def of(self, ref: str) -> list[AssessedRequirement]:
        """Return the rows under a node, such as a function (MEASURE) or a category (MEASURE 2)."""
        return list(self._once("branches", self._branches).get(ref, ()))

    def _branches(self) -> Mapping[str, Sequence[AssessedRequirement]]:
        """Return the rows under each node, including the node's own row."""
        above = {node.ref: node.parent_ref for node in self.tree}
        found: dict[str, list[AssessedRequirement]] = {}
        for row in self.rows:
            ref: str | None = row.ref
            while ref is not None:
                found.setdefault(ref, []).append(row)
                ref = above.get(ref)
        return found

    def share_of(self, ref: str) -> Share:
        kept: dict[str, Share] = self._once("shares", dict)
        if ref not in kept:
            kept[ref] = coverage(row.requirement_level for row in self.of(ref))
        return kept[ref]
