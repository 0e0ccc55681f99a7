"""The reports about its assessments that an AI system's page lists."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.assessments.models import Assessment
from governance.operations.systems.parts import UsedBy
from governance.publishing.reports import permissions, queries
from governance.publishing.reports.models import ReportRun

MAX_REPORTS = 3  # The newest.


def _about(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(ReportRun.id, ReportRun.title)
        .join(Assessment, Assessment.id == ReportRun.assessment_id)
        .where(
            Assessment.system_id == system_id,
            ReportRun.pdf_key.is_not(None),
            queries.is_file_for_reader(),
        )
        .order_by(ReportRun.created_at.desc(), ReportRun.id)
        .limit(MAX_REPORTS)
    )


USED_BY = UsedBy(
    order=50,
    permission=permissions.VIEW,
    select=_about,
    endpoint="reports.report",
    argument="run_id",
    counts_everything=True,
)
