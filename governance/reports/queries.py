"""Report runs, newest first, with the work behind those that are under way."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, cast, or_, select

from governance.assessments import queries as assessments
from governance.assessments.models import Assessment
from governance.frameworks import queries as frameworks
from governance.kernel.db import find, session
from governance.kernel.jobs import WorkItem
from governance.reports.models import ReportRun, SigningKey


@dataclass(frozen=True, slots=True)
class Run:
    """A run and how far its work is."""

    report: ReportRun
    work: WorkItem | None

    @property
    def is_ready(self) -> bool:
        return self.report.pdf_key is not None


def reportable() -> list[Assessment]:
    """The assessments that the AI RMF report can be made from, in one statement."""
    return [each for each in assessments.assessments() if is_ai_rmf(each)]


def is_ai_rmf(held: Assessment) -> bool:
    """Its sentences and charts speak of the four functions: no other framework has them."""
    return frameworks.framework_by_id(held.framework_id).key.startswith("nist-ai-rmf")


def runs(*, limit: int = 50) -> list[Run]:
    """The newest runs, in one statement."""
    query = select(ReportRun, WorkItem).outerjoin(WorkItem, WorkItem.id == ReportRun.work_item_id)
    rows = session().execute(query.order_by(ReportRun.created_at.desc(), ReportRun.id.desc()).limit(limit))
    return [Run(report, work) for report, work in rows]


def run(run_id: UUID) -> Run:
    report = find(ReportRun, run_id, what="report")
    item = (
        session().scalars(select(WorkItem).where(WorkItem.id == report.work_item_id)).one_or_none()
        if report.work_item_id
        else None
    )
    return Run(report, item)


def locked_run(run_id: UUID) -> ReportRun:
    return find(ReportRun, run_id, what="report", lock=True)


def work_item(item_id: UUID) -> WorkItem:
    return find(WorkItem, item_id, what="piece of work")


def under_way(assessment_id: UUID) -> ReportRun | None:
    """A run of this assessment that has not ended: asking twice watches the first."""
    query = select(ReportRun).join(WorkItem, WorkItem.id == ReportRun.work_item_id)
    query = query.where(ReportRun.assessment_id == assessment_id, WorkItem.state.in_(("queued", "running")))
    return session().scalars(query.limit(1)).one_or_none()


def same_under_way(kind: str, parameters: Mapping[str, Any]) -> ReportRun | None:
    """The same for the other kinds, by what they were asked for."""
    query = select(ReportRun).join(WorkItem, WorkItem.id == ReportRun.work_item_id)
    query = query.where(ReportRun.kind == kind, ReportRun.parameters == dict(parameters))
    return session().scalars(query.where(WorkItem.state.in_(("queued", "running"))).limit(1)).one_or_none()


def naming(person_id: UUID, words: Collection[str]) -> Sequence[ReportRun]:
    """The runs that are made from data with one of these words in it, or that this person asked for: the cover names him."""
    said = cast(ReportRun.snapshot, Text)
    named = or_(*(said.icontains(json.dumps(word, ensure_ascii=False)[1:-1], autoescape=True) for word in words))
    query = select(ReportRun).where(ReportRun.snapshot.is_not(None), named | (ReportRun.asked_by == person_id))
    return session().scalars(query.order_by(ReportRun.id).with_for_update()).all()


def signing_key() -> SigningKey | None:
    return (
        session()
        .scalars(select(SigningKey).where(SigningKey.retired_at.is_(None)).order_by(SigningKey.created_at.desc()).limit(1))
        .one_or_none()
    )


def signing_keys() -> Sequence[SigningKey]:
    """All of them: what a retired key signed stays verifiable."""
    return session().scalars(select(SigningKey).order_by(SigningKey.created_at.desc())).all()
