"""Queries of report runs with their work, newest first.

Auditors see those in their scope (auditor_visibility.py).
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, case, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH
from sqlalchemy.orm import aliased, undefer

from governance.assurance.assessments import assessment_queries
from governance.assurance.assessments.models import Assessment
from governance.assurance.assessments.report_facts import has_names_only
from governance.assurance.controls.models import Control
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.auditors.scope import scope_of
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.aliases import may_see_names
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.safety.visibility_scope import Scope, limits
from governance.kernel.work.background_work import Run, run_of, under_way, with_work
from governance.publishing.reports.auditor_visibility import ReportSubject, is_in_scope
from governance.publishing.reports.models import READINESS, TYPE_II, ReportRun, SigningKey
from governance.publishing.reports.readiness.snapshot import CATEGORIES, FRAMEWORK


def reportable() -> list[Assessment]:
    """List the assessments that the AI RMF report can be generated from, in one statement."""
    return [each for each in assessment_queries.assessments() if is_ai_rmf(each)]


def is_ai_rmf(assessment: Assessment) -> bool:
    """Return whether the framework has the four functions that the report is written for."""
    return frameworks.framework_by_id(assessment.framework_id).key.startswith("nist-ai-rmf")


def runs(*, limit: int = 50) -> list[Run[ReportRun]]:
    """List the newest runs, in one statement."""
    query = with_work(ReportRun).where(is_file_for_reader())
    if (scope := limits()) is not None:
        query = query.where(ReportRun.id.in_(_within(scope)))
    rows = session().execute(
        query.order_by(ReportRun.created_at.desc(), ReportRun.id.desc()).limit(limit)
    )
    return [Run(report, work) for report, work in rows]


def run(run_id: UUID) -> Run[ReportRun]:
    """Return one run with its work. Raises NotFound if the acting person may not view it."""
    report, scope = find(ReportRun, run_id, what="report"), limits()
    if scope is not None and not _within(scope, run_id):
        raise NotFound("This report doesn't exist, or you don't have access to it.")
    return run_of(report)


def is_file_for_reader() -> ColumnElement[bool]:
    """Match each report once: the file with names, or without them for readers who may not see names.

    A report that has no file without names is matched for those readers too: its page says who can
    help.
    """
    r = ReportRun
    if may_see_names():
        return r.without_names_of.is_(None)
    other = aliased(ReportRun)
    has_other = exists().where(other.tenant_id == r.tenant_id, other.without_names_of == r.id)
    return r.without_names_of.is_not(None) | ~has_other


def without_names(run_id: UUID) -> ReportRun | None:
    """Return the run of the report's file without names, or None."""
    return session().scalars(select(ReportRun).filter_by(without_names_of=run_id)).one_or_none()


def has_hidden_names(report: ReportRun) -> bool:
    """Return whether the file has names that this reader may not see."""
    return report.without_names_of is None and not may_see_names()


def needs_file_without_names(report: ReportRun) -> bool:
    """Return whether an auditor whose engagement hides names may open the report.

    Future engagements count. Ended ones don't.
    """
    if report.assessment_id is not None and has_names_only(report.assessment_id, report.as_of):
        return False
    scopes = [
        scope_of([each]) for each in engagements.not_over(clock.now()) if not each.shows_names
    ]
    return any(not each.is_limited or _within(each, report.id) for each in scopes)


def ids_in_scope() -> set[UUID] | None:
    """Return the ids of the runs that the acting person may view. None means all of them."""
    scope = limits()
    return None if scope is None else _within(scope)


def finished_within(scope: Scope, *, limit: int = 30) -> Sequence[ReportRun]:
    """List the newest finished reports within a scope with their snapshots.

    A scope without limits gives all of them. The files are with names if the scope shows them, and otherwise without.
    """
    has_names = ReportRun.without_names_of.is_(None)
    query = select(ReportRun).where(
        ReportRun.pdf_key.is_not(None), has_names if scope.shows_names else ~has_names
    )
    if scope.is_limited:
        query = query.where(ReportRun.id.in_(_within(scope)))
    order = (ReportRun.created_at.desc(), ReportRun.id.desc())
    query = query.order_by(*order).limit(limit).options(undefer(ReportRun.snapshot))
    return session().scalars(query).all()


def _within(scope: Scope, run_id: UUID | None = None) -> set[UUID]:
    """Return the ids of the runs within a scope, in two statements.

    `run_id` restricts it to that run. Of the snapshots it reads only the refs of controls.
    """
    r, a = ReportRun, Assessment
    made = (r.kind == TYPE_II) & (func.jsonb_typeof(r.snapshot) == "object")
    named = case(
        (made, func.jsonb_path_query_array(r.snapshot, cast("$.controls[*].ref", JSONPATH)))
    )
    query = select(
        r.id,
        r.kind,
        r.parameters,
        r.as_of,
        a.framework_id,
        a.period_from,
        a.period_to,
        named.label("named"),
    )
    query = query.outerjoin(a, a.id == r.assessment_id)
    rows = session().execute(query.where(r.id == run_id) if run_id else query).all()
    refs = set(session().scalars(select(Control.ref).where(Control.id.in_(scope.controls or ()))))
    return {row.id for row in rows if is_in_scope(scope, _about(row), refs)}


def _about(row: Any) -> ReportSubject:
    assessed = _criteria(row.parameters["categories"]) if row.kind == READINESS else []
    if row.framework_id is not None:
        assessed = [each.id for each in frameworks.requirements(row.framework_id)]
    period = (row.period_from, row.period_to) if row.framework_id is not None else None
    return ReportSubject(row.kind, row.parameters, row.as_of, assessed, period, row.named)


def _criteria(categories: Collection[str]) -> list[UUID]:
    """Return the assessable criteria of these categories, in the version that the tenant uses."""
    found = next((each for each in frameworks.frameworks() if each.key == FRAMEWORK), None)
    tops = {top for key in categories for top in CATEGORIES[key][1]}
    return (
        [r.id for r in frameworks.requirements(found.id) if r.assessable and r.parent_ref in tops]
        if found
        else []
    )


def locked_run(run_id: UUID) -> ReportRun:
    return find(ReportRun, run_id, what="report", lock=True)


def same_under_way(
    kind: str, parameters: Mapping[str, Any], assessment_id: UUID | None = None
) -> ReportRun | None:
    """Return an unfinished run of the same kind and subject, so that a repeated request shows it."""
    r = ReportRun
    same = (
        r.kind == kind,
        r.parameters == dict(parameters),
        r.assessment_id == assessment_id,
        r.without_names_of.is_(None),
    )
    return next(iter(under_way(r, *same)), None)


def naming(person_id: UUID, words: Collection[str]) -> Sequence[ReportRun]:
    """List the runs whose data has one of these words, or that this person requested.

    The cover names the requester.
    """
    text = cast(ReportRun.snapshot, Text)
    named = or_(
        *(
            text.icontains(json.dumps(word, ensure_ascii=False)[1:-1], autoescape=True)
            for word in words
        )
    )
    query = select(ReportRun).where(
        ReportRun.snapshot.is_not(None), named | (ReportRun.requested_by == person_id)
    )
    return session().scalars(query.order_by(ReportRun.id).with_for_update()).all()


def signing_key() -> SigningKey | None:
    return (
        session()
        .scalars(
            select(SigningKey)
            .where(SigningKey.retired_at.is_(None))
            .order_by(SigningKey.created_at.desc())
            .limit(1)
        )
        .one_or_none()
    )


def signing_keys() -> Sequence[SigningKey]:
    """List all keys, including retired ones: their signatures stay verifiable."""
    return session().scalars(select(SigningKey).order_by(SigningKey.created_at.desc())).all()
