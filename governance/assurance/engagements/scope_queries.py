"""Queries for the scope of an engagement: controls, evidence and requirements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Select,
    Uuid,
    any_,
    literal,
    select,
)

from governance.assurance.controls.models import Control, ControlMapping
from governance.assurance.engagements import queries
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    RequestAttachment,
)
from governance.assurance.evidence.models import (
    EvidenceLink,
)
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Requirement
from governance.kernel.data.db import session


@dataclass(frozen=True, slots=True)
class EngagementScope:
    """The combined scope of engagements that are limited to a framework or to a red team.

    If an evidence item isn't in `evidence`, auditors see only its versions in `versions`.
    """

    controls: frozenset[UUID]
    evidence: frozenset[UUID]
    versions: frozenset[UUID]  # Provided in a request, whether or not the item is in scope.


def criteria_below(framework_id: UUID, criteria: Collection[str]) -> list[UUID]:
    """Return the ids of the requirements with these refs and of everything below them.

    Without refs, return those of the whole framework. Every installed version of the framework
    counts, since assessments and mappings keep the version they were made with.
    """
    key = frameworks.framework_by_id(framework_id).key
    versions = [each.id for each in frameworks.installed() if each.key == key]
    return [each for version in versions for each in _below(version, criteria)]


def _below(framework_id: UUID, criteria: Collection[str]) -> list[UUID]:
    every = frameworks.requirements(framework_id)
    if not criteria:
        return [each.id for each in every]
    parents = {each.ref: each.parent_ref for each in every}
    return [each.id for each in every if _is_below(each.ref, parents, frozenset(criteria))]


def _is_below(ref: str | None, parents: Mapping[str, str | None], wanted: frozenset[str]) -> bool:
    while ref is not None:
        if ref in wanted:
            return True
        ref = parents.get(ref)
    return False


def controls_in(engagement: Engagement) -> Sequence[tuple[UUID, str, str]]:
    """List (id, ref, title) of the live controls in scope, by ref. Red teams have none."""
    if engagement.is_red_team:
        return []
    query = select(Control.id, Control.ref, Control.title).where(Control.retired_at.is_(None))
    if engagement.framework_id is not None:
        asked = criteria_below(engagement.framework_id, engagement.criteria)
        answering = select(ControlMapping.control_id).where(
            ControlMapping.requirement_id.in_(asked), ControlMapping.removed_at.is_(None)
        )
        query = query.where(Control.id.in_(answering))
    return [(row.id, row.ref, row.title) for row in session().execute(query.order_by(Control.ref))]


def shown_by(engagements: Sequence[Engagement]) -> EngagementScope:
    """Return the combined scope of these engagements, none of which may cover all controls."""
    controls = frozenset(control for each in engagements for control, _, _ in controls_in(each))
    linked = select(EvidenceLink.evidence_id).where(
        EvidenceLink.control_id.in_(controls), EvidenceLink.removed_at.is_(None)
    )
    given = _provided_in([each.id for each in engagements])
    return EngagementScope(
        controls, frozenset(session().scalars(linked)), frozenset(session().scalars(given))
    )


def provisions(versions: Collection[UUID], now: datetime) -> dict[UUID, Engagement]:
    """Return the planned or open engagement in which each version was provided, by version id.

    If there are several, return the one that closes last.
    """
    a = RequestAttachment
    query = (
        select(a.version_id, Engagement)
        .join(AuditRequest, AuditRequest.id == a.request_id)
        .join(Engagement, Engagement.id == AuditRequest.engagement_id)
        .where(
            a.version_id == any_(literal(list(versions), ARRAY(Uuid))),
            a.provided_at.is_not(None),
            queries.has_not_ended(now),
        )
        .order_by(Engagement.closes_at)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def _provided_in(engagements: Collection[UUID]) -> Select[UUID]:
    return (
        select(RequestAttachment.version_id)
        .join(AuditRequest, AuditRequest.id == RequestAttachment.request_id)
        .where(
            AuditRequest.engagement_id.in_(engagements),
            RequestAttachment.provided_at.is_not(None),
        )
    )


def requirement_refs(
    control_ids: Collection[UUID], framework_id: UUID | None
) -> dict[UUID, list[str]]:
    """Return the refs of the requirements that each control maps to, by control id."""
    query = select(ControlMapping.control_id, Requirement.ref).join(
        Requirement, Requirement.id == ControlMapping.requirement_id
    )
    query = query.where(
        ControlMapping.control_id.in_(control_ids), ControlMapping.removed_at.is_(None)
    )
    if framework_id is not None:
        query = query.where(Requirement.framework_id == framework_id)
    found: dict[UUID, list[str]] = {}
    for control_id, ref in session().execute(query.order_by(Requirement.ref)):
        found.setdefault(control_id, []).append(ref)
    return found
