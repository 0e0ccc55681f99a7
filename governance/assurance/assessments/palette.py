"""Assessments and requirements in search.

Auditors find those of the frameworks in their engagement.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from flask import url_for
from sqlalchemy import Select, select

from governance.assurance.assessments import permissions
from governance.assurance.assessments.models import Assessment
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.manifest import Hit, IndexedSearch, SearchText
from governance.kernel.pages.search_words import found_in, typed
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits

RMF = "nist-ai-rmf-1.0"


def requirements(text: str) -> Iterator[Hit]:
    """Yield requirements by id or by our title, such as `measure 2.7` or `security`.

    They are those of the AI RMF or, for an auditor, those in their scope.
    """
    if not allowed(permissions.VIEW):
        return
    auditor_scope, what = limits(), typed(text)
    searched = [
        each for each in frameworks.frameworks() if auditor_scope is not None or each.key == RMF
    ]
    for key, row in (
        (each.key, row) for each in searched for row in frameworks.requirements(each.id)
    ):
        named = row.assessable and found_in(what, row.ref, row.title)
        if named and (auditor_scope is None or auditor_scope.holds_requirement(row.id)):
            yield Hit(
                f"{row.ref} {row.title}",
                "requirement",
                url_for("assessments.requirement", key=key, ref=row.path),
            )


def _text(row: Any) -> SearchText:
    return SearchText("", row.title)


def _seen() -> Select[UUID] | None:
    auditor_scope = limits()
    if auditor_scope is None:
        return None
    keys = [f.id for f in frameworks.installed() if auditor_scope.holds_framework(f.key)]
    return select(Assessment.id).where(Assessment.framework_id.in_(keys))


assessments = IndexedSearch(
    kind="assessment",
    model=Assessment,
    reads=("title",),
    text=_text,
    seen=_seen,
    endpoint="assessments.assessment",
    address=lambda row_id, _ref, _parent: {"assessment_id": row_id},
)
