"""Checks that an assessment is open and stays open while it changes."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import defer

from governance.assurance.assessments import assessment_queries
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
)
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import formatting
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError


class AssessmentClosed(DomainError):
    pass


class NotSignable(DomainError):
    pass


def why_not_open(assessment: Assessment) -> str | None:
    """Return why the assessment can't be changed, or None while it is open."""
    if assessment.closed_at is None:
        return None
    return (
        f"{assessment.title} was closed on {day_of(assessment.closed_at)}. Start a new revision to"
        " change it."
    )


def require_open(item: AssessmentItem) -> Assessment:
    """Return the item's assessment, locked against closing until the transaction ends.

    Raise AssessmentClosed.
    """
    query = (
        select(Assessment)
        .where(Assessment.id == item.assessment_id)
        .options(defer(Assessment.frozen))
    )
    assessment = (
        session()
        .scalars(query.with_for_update(read=True).execution_options(populate_existing=True))
        .one()
    )
    if (why := why_not_open(assessment)) is not None:
        raise AssessmentClosed(why)
    return assessment


def day_of(at: datetime) -> str:
    return formatting.long_day(at)


def requirement_ref(item: AssessmentItem) -> str:
    return assessment_queries.refs_of().get(item.requirement_id, "")


def requirement_path(item: AssessmentItem) -> str:
    """Return the URL path of its requirement's page, below the tenant's path."""
    for each in frameworks.installed():
        for node in frameworks.requirements(each.id):
            if node.id == item.requirement_id:
                return f"frameworks/{each.key}/{frameworks.path_of(node.ref)}"
    return "frameworks/"
