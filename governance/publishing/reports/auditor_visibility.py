"""Which reports an auditor of a framework sees: those that are about nothing else.

A file is signed, so it cannot be cut for him.

    AI RMF compliance        of an assessment whose whole framework he audits, over days of his
                             period
    SOC 2 readiness          whose categories he audits whole, as of a day from the first of his
                             period on
    Type II matrix           whose controls are all his, over days of his period
    policy attestation       none: it is about the policy of all systems and no framework's. He may
                             ask for it as evidence

An engagement over everything sees all of them. Pure; queries.py reads what it takes.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from governance.kernel.visibility_scope import Scope
from governance.publishing.reports.models import AI_RMF, READINESS, TYPE_II


@dataclass(frozen=True, slots=True)
class About:
    """What a run is about.

    `period` of its assessment; `controls` are the refs in a matrix (None: it is not made yet).
    """

    kind: str
    parameters: Mapping[str, Any]
    as_of: datetime
    requirements: Collection[UUID] = ()
    period: tuple[date, date] | None = None
    controls: Collection[str] | None = None


def shows(held: Scope, about: About, refs: Collection[str]) -> bool:
    """Whether it is within that scope, whose controls have these refs."""
    if about.kind == AI_RMF:
        return (
            about.period is not None
            and _touches(held, *about.period)
            and _all(held, about.requirements)
        )
    if about.kind == READINESS:
        return about.as_of.date() >= held.period_from and _all(held, about.requirements)
    if about.kind == TYPE_II:
        first, last = (date.fromisoformat(about.parameters[name]) for name in ("from", "to"))
        return (
            about.controls is not None
            and _touches(held, first, last)
            and set(about.controls) <= set(refs)
        )
    return False


def _touches(held: Scope, first: date, last: date) -> bool:
    return first <= held.period_to and last >= held.period_from


def _all(held: Scope, requirements: Collection[UUID]) -> bool:
    return bool(requirements) and all(map(held.holds_requirement, requirements))
