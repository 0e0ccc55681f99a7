"""Assessments and requirements in the command palette; an auditor finds those of the frameworks in
their engagement.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import Select, literal, select

from governance.assurance.assessments import permissions
from governance.assurance.assessments.models import Assessment
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import current
from governance.kernel.access import allowed
from governance.kernel.manifest import Hit, ObjectSearch, contains
from governance.kernel.visibility_scope import limits

RMF = "nist-ai-rmf-1.0"


def requirements(text: str) -> Iterator[Hit]:
    """Of the AI RMF (for an auditor, of what they audit), by id or by our title:

    `measure 2.7`, `security`.
    """
    if not allowed(permissions.VIEW):
        return
    auditor_scope, needle = limits(), text.lower()
    searched = [
        each for each in frameworks.frameworks() if auditor_scope is not None or each.key == RMF
    ]
    for key, row in (
        (each.key, row) for each in searched for row in frameworks.requirements(each.id)
    ):
        named = row.assessable and (needle in row.ref.lower() or needle in row.title.lower())
        if named and (auditor_scope is None or auditor_scope.holds_requirement(row.id)):
            yield Hit(
                f"{row.ref} {row.title}",
                "requirement",
                url_for("assessments.requirement", key=key, ref=row.path),
            )


def _find(text: str) -> Select[UUID, str, str]:
    auditor_scope = limits()
    query = select(Assessment.id, literal("").label("ref"), Assessment.title)
    query = query.where(
        Assessment.tenant_id == current.actor().tenant_id, Assessment.title.ilike(contains(text))
    )
    if auditor_scope is None:
        return query
    return query.where(
        Assessment.framework_id.in_(
            [f.id for f in frameworks.installed() if auditor_scope.holds_framework(f.key)]
        )
    )


def _address(assessment_id: UUID, _ref: str) -> dict[str, Any]:
    return {"assessment_id": assessment_id}


assessments = ObjectSearch("assessment", _find, "assessments.assessment", _address)
