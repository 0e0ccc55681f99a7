"""The board of a framework: all data of its pages, in three statements."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from governance.assurance.assessments.assessment_queries import (
    assessment,
    current_assessment_id,
    judged_items,
)
from governance.assurance.assessments.coverage import (
    DerivedLevel,
    MappedControl,
    derive_level,
)
from governance.assurance.assessments.framework_board import (
    DEFAULT_TARGET,
    YEAR_BEFORE,
    AssessedItem,
    AssessedRequirement,
    AssessmentFacts,
    FrameworkBoard,
)
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
)
from governance.assurance.controls import control_ledger
from governance.assurance.controls.control_ledger import Ledger
from governance.assurance.controls.status import status
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import FrameworkView, RequirementView
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import reading
from governance.kernel import clock
from governance.kernel.safety.visibility_scope import Scope, limits


def board(
    framework: FrameworkView, as_of: datetime | None = None, of_assessment: Assessment | None = None
) -> FrameworkBoard:
    """Return all requirements of a framework with their levels, targets and conclusions.

    Runs three statements: for the assessment with its items, and for the controls' ledger. Today's
    rows are cached until the tenant commits something, a deadline passes or the day ends.
    """
    at, ledger = as_of or clock.now(), control_ledger.ledger()
    if as_of is not None or of_assessment is not None:
        return _in_scope(limits(), _board(framework, at, ledger, as_of, of_assessment))
    # The key holds the tree's identity, since a hash would visit a hundred nodes. The cached board
    # refers to the same tree, so the id stays valid.
    tree = frameworks.requirements(framework.id)
    key = ("board", framework, id(tree), at.date(), ledger.since(at), reading())
    whole = recall(key, lambda: replace(_board(framework, at, ledger), token=object()))
    return _in_scope(limits(), replace(whole, as_of=at))


def _in_scope(auditor_scope: Scope | None, whole: FrameworkBoard) -> FrameworkBoard:
    """Limit a board to the requirements in scope and the groups above them.

    Such a board is not cached.
    """
    if auditor_scope is None:
        return whole
    rows = tuple(row for row in whole.rows if auditor_scope.holds_requirement(row.requirement.id))
    if len(rows) == len(whole.rows):
        return whole
    above, kept = {node.ref: node.parent_ref for node in whole.tree}, set[str | None]()
    for row in rows:
        ref: str | None = row.ref
        while ref is not None and ref not in kept:
            kept.add(ref)
            ref = above.get(ref)
    return replace(
        whole, rows=rows, tree=tuple(node for node in whole.tree if node.ref in kept), token=None
    )


def _board(
    framework: FrameworkView,
    at: datetime,
    ledger: Ledger,
    as_of: datetime | None = None,
    assessment: Assessment | None = None,
) -> FrameworkBoard:
    which = AssessmentItem.assessment_id == (
        assessment.id if assessment else current_assessment_id(framework.id, as_of)
    )
    shown, found = judged_items(which, as_of)
    shown = shown or (_facts(assessment) if assessment else None)
    by_ref, tree = {each.ref: each for each in found}, frameworks.requirements(framework.id)
    period = (shown.period_from, shown.period_to) if shown else (at.date() - YEAR_BEFORE, at.date())
    levels, tops = derive_all(tree, ledger, at, period), _functions_of(tree)
    rows = tuple(
        _row(r, levels[r.id], by_ref.get(r.ref), tops[r.ref]) for r in tree if r.assessable
    )
    return FrameworkBoard(framework, tree, rows, shown, at, period, ledger)


def _facts(assessment: Assessment) -> AssessmentFacts:
    return AssessmentFacts(
        *(getattr(assessment, name) for name in AssessmentFacts.__dataclass_fields__)
    )


def _row(
    node: RequirementView, derived: DerivedLevel, found: AssessedItem | None, function: str
) -> AssessedRequirement:
    return AssessedRequirement(
        node, derived, found.row.target if found else DEFAULT_TARGET, found, function
    )


def _functions_of(tree: Sequence[RequirementView]) -> dict[str, str]:
    """Return the function of each node; a node without a parent is its own."""
    tops: dict[str, str] = {}
    for node in tree:
        tops[node.ref] = tops.get(node.parent_ref or "", node.ref)
    return tops


def rows(assessment_id: UUID) -> tuple[AssessedRequirement, ...]:
    """Return the rows of one assessment, as of now."""
    found = assessment(assessment_id)
    return board(frameworks.framework_by_id(found.framework_id), of_assessment=found).rows


def derived_level(found: AssessmentItem) -> DerivedLevel:
    """Return the level of one requirement over its assessment's period, as of now.

    Runs three statements.
    """
    its_assessment, now = assessment(found.assessment_id), clock.now()
    tree = [
        r
        for r in frameworks.requirements(its_assessment.framework_id)
        if r.id == found.requirement_id
    ]
    period = (its_assessment.period_from, its_assessment.period_to)
    return derive_all(tree, control_ledger.ledger_of(found.requirement_id), now, period).get(
        found.requirement_id
    ) or derive_level([])


def derive_all(
    tree: Sequence[RequirementView], ledger: Ledger, at: datetime, period: tuple[date, date]
) -> dict[UUID, DerivedLevel]:
    """Return the level of each requirement at a moment. Each control is judged once."""
    answers: dict[UUID, list[MappedControl]] = {}
    for control in ledger.at(at):
        judged = status(control, today=at.date(), period_from=period[0], period_to=period[1])
        for requirement_id, how_far in control.mappings:
            answers.setdefault(requirement_id, []).append((control, how_far, judged))
    return {r.id: derive_level(answers.get(r.id, [])) for r in tree if r.assessable}
