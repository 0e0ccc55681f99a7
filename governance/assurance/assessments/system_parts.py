"""Parts that assessments add to an AI system's pages."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, func, literal, select
from sqlalchemy.orm import aliased

from governance.assurance.assessments import outdated_actions, permissions
from governance.assurance.assessments.models import Assessment
from governance.kernel.formatting import plural
from governance.operations.systems.parts import Consequence, OutdatedRecords, UsedBy


def _outdated(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the assessments that a substantial change made outdated.

    They count until a later assessment replaces them.
    """
    later = aliased(Assessment)
    replaced = (
        select(later.id)
        .where(
            later.system_id == Assessment.system_id,
            later.framework_id == Assessment.framework_id,
            later.created_at > Assessment.stale_since,
        )
        .exists()
    )
    detail = func.concat(
        "Describes the system before version ", cast(Assessment.stale_version, String)
    ).label("detail")
    query: Select[*tuple[Any, ...]] = select(
        Assessment.id, func.concat("Assessment ", Assessment.title).label("name"), detail
    )
    return query.where(
        Assessment.system_id == system_id, Assessment.stale_since.is_not(None), ~replaced
    )


def _open(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count(literal(1))).where(
        Assessment.system_id == system_id, Assessment.closed_at.is_(None)
    )


OUTDATED = OutdatedRecords(
    select=_outdated,
    verb="Open",
    endpoint="assessments.assessment",
    argument="assessment_id",
    permission=permissions.VIEW,
    confirming=permissions.MANAGE,
    confirm=outdated_actions.confirm,
    counts_everything=True,
)
OPEN = Consequence(
    name="assessments",
    order=60,
    count=_open,
    text=lambda n: f"{plural(n, 'open assessment')}: it can still be concluded and closed",
)


def _about(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(Assessment.id, Assessment.title).where(
        Assessment.system_id == system_id, Assessment.closed_at.is_(None)
    )


USED_BY = UsedBy(
    order=40,
    permission=permissions.VIEW,
    select=_about,
    endpoint="assessments.assessment",
    argument="assessment_id",
    counts_everything=True,
)
