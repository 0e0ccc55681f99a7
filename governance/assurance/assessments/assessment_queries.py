"""Queries for assessments and their items, each with its last conclusion and sign-off."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select
from sqlalchemy.orm import aliased, defer

from governance.assurance.assessments.framework_board import (
    AssessedItem,
    AssessmentFacts,
    ItemFacts,
    Judgement,
)
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
    Conclusion,
    SignOff,
)
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.aliases import who_did
from governance.foundation.people.queries import names
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.safety.visibility_scope import limits


def assessments(framework_id: UUID | None = None) -> Sequence[Assessment]:
    """Return assessments, newest period first, then newest revision."""
    query = select(Assessment).options(defer(Assessment.frozen))
    query = query.order_by(
        Assessment.period_to.desc(), Assessment.revision.desc(), Assessment.created_at.desc()
    )
    if (auditor_scope := limits()) is not None:
        query = query.where(
            Assessment.framework_id.in_(
                [f.id for f in frameworks.installed() if auditor_scope.holds_framework(f.key)]
            )
        )
    return (
        session()
        .scalars(query.where(Assessment.framework_id == framework_id) if framework_id else query)
        .all()
    )


def assessment(assessment_id: UUID, *, lock: bool = False) -> Assessment:
    """Return the assessment. Raise NotFound if its framework is outside the acting person's scope."""
    found, auditor_scope = find(Assessment, assessment_id, what="assessment", lock=lock), limits()
    if auditor_scope is not None and not auditor_scope.holds_framework(
        frameworks.framework_by_id(found.framework_id).key
    ):
        raise NotFound("This assessment doesn't exist, or you don't have access to it.")
    return found


def item(item_id: UUID, *, lock: bool = False) -> AssessmentItem:
    """Return the item. Raise NotFound if its requirement is outside the acting person's scope."""
    found, auditor_scope = (
        find(AssessmentItem, item_id, what="assessed requirement", lock=lock),
        limits(),
    )
    if auditor_scope is not None and not auditor_scope.holds_requirement(found.requirement_id):
        raise NotFound("This assessed requirement doesn't exist, or you don't have access to it.")
    return found


def items_with_assessments(
    framework_id: UUID, ids: Collection[UUID], *, lock: bool = False
) -> list[tuple[AssessmentItem, Assessment]]:
    """Return these items of the framework with their assessments, limited to the reader's scope.

    `lock` locks the rows.
    """
    query = select(AssessmentItem, Assessment).join(
        Assessment, Assessment.id == AssessmentItem.assessment_id
    )
    query = query.where(
        AssessmentItem.id.in_(ids), Assessment.framework_id == framework_id
    ).order_by(AssessmentItem.id)
    locked = query.with_for_update(key_share=True, of=AssessmentItem).execution_options(
        populate_existing=True
    )
    rows = session().execute((locked if lock else query).options(defer(Assessment.frozen))).all()
    auditor_scope = limits()
    return [
        (row[0], row[1])
        for row in rows
        if auditor_scope is None or auditor_scope.holds_requirement(row[0].requirement_id)
    ]


def sees_whole_framework(framework_id: UUID) -> bool:
    """Check whether every requirement of the framework is in scope.

    Frozen results can't be filtered, so only readers with the full scope get them.
    """
    auditor_scope = limits()
    return auditor_scope is None or all(
        auditor_scope.holds_requirement(each.id) for each in frameworks.requirements(framework_id)
    )


def visible_refs(framework_id: UUID) -> frozenset[str]:
    """Return the refs of the framework's requirements that are in scope."""
    auditor_scope = limits()
    return frozenset(
        r.ref
        for r in frameworks.requirements(framework_id)
        if auditor_scope is None or auditor_scope.holds_requirement(r.id)
    )


def revisions(assessment: Assessment) -> Sequence[Assessment]:
    """Return all revisions of an assessment, oldest first."""
    query = select(Assessment).options(defer(Assessment.frozen))
    query = query.where(
        Assessment.framework_id == assessment.framework_id,
        Assessment.scope == assessment.scope,
        Assessment.title == assessment.title,
        Assessment.period_from == assessment.period_from,
    )
    return session().scalars(query.order_by(Assessment.revision)).all()


def current_assessment(framework_id: UUID, as_of: datetime | None = None) -> Assessment | None:
    """Return the assessment that pages show at that moment: an open one, else the latest."""
    found = session().scalars(
        select(Assessment)
        .where(Assessment.id == current_assessment_id(framework_id, as_of))
        .options(defer(Assessment.frozen))
    )
    return found.one_or_none()


def current_assessment_id(framework_id: UUID, as_of: datetime | None) -> Any:
    query = select(Assessment.id).where(
        Assessment.framework_id == framework_id, Assessment.scope == "organisation"
    )
    was_open: ColumnElement[bool] = Assessment.closed_at.is_(None)
    if as_of is not None:
        query, was_open = (
            query.where(Assessment.created_at <= as_of),
            or_(was_open, Assessment.closed_at > as_of),
        )
    ordered = query.order_by(
        case((was_open, 0), else_=1),
        Assessment.period_to.desc(),
        Assessment.revision.desc(),
        Assessment.created_at.desc(),
    )
    return ordered.limit(1).scalar_subquery()


def item_rows(assessment_id: UUID) -> dict[UUID, AssessmentItem]:
    """Return the items of an assessment by id, as rows that the actions accept."""
    return {
        row.id: row
        for row in session().scalars(
            select(AssessmentItem).where(AssessmentItem.assessment_id == assessment_id)
        )
    }


def items(assessment_id: UUID, as_of: datetime | None = None) -> list[AssessedItem]:
    """Return each item with its last conclusion and sign-off, in the publisher's order.

    Runs one statement.
    """
    return judged_items(AssessmentItem.assessment_id == assessment_id, as_of)[1]


_ASSESSMENT_COLUMNS = [getattr(Assessment, name) for name in AssessmentFacts.__dataclass_fields__]
_ITEM_COLUMNS = [getattr(AssessmentItem, name) for name in ItemFacts.__dataclass_fields__]
_ITEM_START, _ITEM_END = len(_ASSESSMENT_COLUMNS), len(_ASSESSMENT_COLUMNS) + len(_ITEM_COLUMNS)
# First columns of owner, assessor and signer
_PEOPLE = (_ITEM_END, _ITEM_END + 5, _ITEM_END + 9)


def judged_items(
    which: Any, as_of: datetime | None
) -> tuple[AssessmentFacts | None, list[AssessedItem]]:
    rows = session().execute(_select_judged(as_of).where(which)).all()
    called = names(row[at] for row in rows for at in _PEOPLE)
    refs = refs_of()
    order = {requirement_id: place for place, requirement_id in enumerate(refs)}
    found = sorted(
        (_item(row, refs, called) for row in rows), key=lambda each: order[each.row.requirement_id]
    )
    return (AssessmentFacts(*rows[0][:_ITEM_START]) if rows else None), found


def _item(row: Sequence[Any], refs: Mapping[UUID, str], called: Mapping[UUID, str]) -> AssessedItem:
    facts = ItemFacts(*row[_ITEM_START:_ITEM_END])
    owner_id, *judged = row[_ITEM_END:]
    owner = called.get(owner_id)
    return AssessedItem(facts, refs[facts.requirement_id], owner, _judgement(judged, called))


def _select_judged(at: datetime | None) -> Select[*tuple[Any, ...]]:
    """Select each item with its assessment, its owner, and its last conclusion and sign-off.

    `at` leaves out conclusions and sign-offs after a moment. None keeps all, because another
    machine's clock may be ahead.
    """
    later = aliased(Conclusion)
    newest = select(later.id).where(
        later.item_id == AssessmentItem.id, later.tenant_id == AssessmentItem.tenant_id
    )
    signed: ColumnElement[bool] = SignOff.conclusion_id == Conclusion.id
    if at is not None:
        newest, signed = (
            newest.where(later.concluded_at <= at),
            and_(signed, SignOff.signed_at <= at),
        )
    c, s = Conclusion, SignOff
    return (
        select(
            *_ASSESSMENT_COLUMNS,
            *_ITEM_COLUMNS,
            AssessmentItem.owner_id,
            c.id,
            c.revision,
            c.level,
            c.rationale,
            c.concluded_by,
            c.concluded_at,
            c.return_reason,
            s.id,
            s.signed_by,
            s.signed_at,
            s.entry_id,
        )
        .select_from(AssessmentItem)
        .join(Assessment, Assessment.id == AssessmentItem.assessment_id)
        .outerjoin(
            c,
            c.id
            == newest.order_by(later.revision.desc())
            .limit(1)
            .correlate(AssessmentItem)
            .scalar_subquery(),
        )
        .outerjoin(s, signed)
    )


def last_target_entry(assessment_id: UUID, as_of: datetime) -> AuditEntry | None:
    """Return the audit entry of the last change of a target, up to a moment."""
    items = select(AssessmentItem.id).where(AssessmentItem.assessment_id == assessment_id)
    e = AuditEntry
    query = select(e).where(
        e.action == "assessment.target.set", e.target_id.in_(items), e.at <= as_of
    )
    return session().scalars(query.order_by(e.at.desc(), e.id.desc()).limit(1)).one_or_none()


def refs_of() -> dict[UUID, str]:
    """Return the ref by requirement id for all installed frameworks, in the publisher's order.

    Cached in memory.
    """
    return {
        r.id: r.ref
        for each in frameworks.installed()
        for r in frameworks.requirements(each.id)
        if r.assessable
    }


def _judgement(judged: Sequence[Any], called: Mapping[UUID, str]) -> Judgement | None:
    (
        made,
        revision,
        level,
        rationale,
        by,
        at,
        returned,
        signature,
        signer,
        signed_at,
        entry_id,
    ) = judged
    if made is None:
        return None
    signed_by = who_did(called, signer) if signature else None
    return Judgement(
        made,
        revision,
        level,
        rationale,
        by,
        who_did(called, by),
        at,
        returned,
        signed_by,
        signed_at,
        entry_id,
    )


def iso(at: datetime | None) -> str | None:
    """Return a moment in UTC to the second, as frozen data stores it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None
