"""The rule for which reports an auditor of a framework sees.

A file is signed, so it can't be cut down to an auditor's scope. An auditor sees a report only if
all of it is in scope:

    AI RMF compliance        if its assessment is of a framework that the engagement covers in full,
                             over days of its period
    SOC 2 readiness          if the engagement covers all its categories, from the first day of the
                             period on
    Type II matrix           if the engagement covers all its controls, over days of its period
    policy attestation       never: it is about the policy of all systems and belongs to no
                             framework. Auditors may request it as evidence

An engagement without limits sees all of them. Pure: queries.py reads the input.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from governance.kernel.safety.visibility_scope import Scope
from governance.publishing.reports.models import AI_RMF, READINESS, TYPE_II


@dataclass(frozen=True, slots=True)
class ReportSubject:
    """The subject of a run.

    `period` is that of its assessment. `controls` are the refs in a matrix, None before it is
    generated.
    """

    kind: str
    parameters: Mapping[str, Any]
    as_of: datetime
    requirements: Collection[UUID] = ()
    period: tuple[date, date] | None = None
    controls: Collection[str] | None = None


def is_in_scope(scope: Scope, about: ReportSubject, refs: Collection[str]) -> bool:
    """Return whether a run is within a scope. `refs` are those of the scope's controls."""
    if about.kind == AI_RMF:
        return (
            about.period is not None
            and _overlaps(scope, *about.period)
            and _has_all(scope, about.requirements)
        )
    if about.kind == READINESS:
        return about.as_of.date() >= scope.period_from and _has_all(scope, about.requirements)
    if about.kind == TYPE_II:
        first, last = (date.fromisoformat(about.parameters[name]) for name in ("from", "to"))
        return (
            about.controls is not None
            and _overlaps(scope, first, last)
            and set(about.controls) <= set(refs)
        )
    return False


def _overlaps(scope: Scope, first: date, last: date) -> bool:
    return first <= scope.period_to and last >= scope.period_from


def _has_all(scope: Scope, requirements: Collection[UUID]) -> bool:
    return bool(requirements) and all(map(scope.holds_requirement, requirements))
