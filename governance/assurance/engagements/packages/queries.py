"""Queries for evidence packages, and for the evidence versions that go into one."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    select,
)

from governance.assurance.engagements import (
    queries,
    scope_queries,
)
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    EvidencePackage,
    RequestAttachment,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceLink,
    EvidenceVersion,
)
from governance.foundation.audit import logs
from governance.foundation.people import aliases
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.work.background_work import Run, run_of, with_work


def packages(engagement_id: UUID, *, limit: int = 20) -> list[Run[EvidencePackage]]:
    query = with_work(EvidencePackage).where(EvidencePackage.engagement_id == engagement_id)
    rows = session().execute(
        query.order_by(EvidencePackage.created_at.desc(), EvidencePackage.id.desc()).limit(limit)
    )
    return [Run(package, work) for package, work in rows]


def package(engagement_id: UUID, package_id: UUID) -> Run[EvidencePackage]:
    """Return a package of this engagement. Raises NotFound if the reader may not see it."""
    queries.engagement(engagement_id)
    found = find(EvidencePackage, package_id, what="package")
    if found.engagement_id != engagement_id:
        raise NotFound("This package doesn't exist, or you don't have access to it.")
    return run_of(found)


def visible_package(package_id: UUID) -> EvidencePackage:
    """Return a package. Raises NotFound unless the reader may see its engagement."""
    found = package_by_id(package_id)
    queries.engagement(found.engagement_id)
    return found


def lock_package(package_id: UUID) -> EvidencePackage:
    return find(EvidencePackage, package_id, what="package", lock=True)


def package_by_id(package_id: UUID) -> EvidencePackage:
    """Return a package, without a lock or an access check, for jobs that read a snapshot."""
    return find(EvidencePackage, package_id, what="package")


def verifier_keys() -> list[str]:
    """Return the verifier keys of the tenant's log and packages, the current one first."""
    return [str(logs.verifier(key)) for key in logs.all_keys()]


@dataclass(frozen=True, slots=True)
class PackagedVersion:
    """An evidence version in a package, with the refs of its controls, and its deletion if any."""

    version: EvidenceVersion
    ref: str
    title: str
    controls: tuple[str, ...]
    deletion: EvidenceDeletion | None = None


def package_versions(engagement: Engagement) -> list[PackagedVersion]:
    """List versions in scope that overlap the period, and all provided ones, in two statements."""
    controls = {i: ref for i, ref, _ in scope_queries.controls_in(engagement)}
    links = select(EvidenceLink.evidence_id, EvidenceLink.control_id).where(
        EvidenceLink.control_id.in_(controls), EvidenceLink.removed_at.is_(None)
    )
    supports: dict[UUID, list[str]] = {}
    for evidence_id, control_id in session().execute(links):
        supports.setdefault(evidence_id, []).append(controls[control_id])
    v = EvidenceVersion
    given = select(RequestAttachment.version_id).join(
        AuditRequest, AuditRequest.id == RequestAttachment.request_id
    )
    given = given.where(
        AuditRequest.engagement_id == engagement.id,
        RequestAttachment.provided_at.is_not(None),
    )
    covering = (
        v.evidence_id.in_(list(supports))
        & (v.period_from <= engagement.period_to)
        & (v.period_to >= engagement.period_from)
    )
    gone = EvidenceDeletion
    query = select(v, Evidence.ref, Evidence.title, gone).join(
        Evidence, Evidence.id == v.evidence_id
    )
    query = query.outerjoin(gone, (gone.version_id == v.id) & gone.state.in_(DECIDED)).where(
        covering | v.id.in_(given)
    )
    rows = session().execute(query.order_by(Evidence.ref, v.number))
    return [
        PackagedVersion(
            row[0], row[1], row[2], tuple(sorted(supports.get(row[0].evidence_id, ()))), row[3]
        )
        for row in rows
    ]


def pseudonyms(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the aliases that auditors also see on pages. Packages don't name people."""
    return aliases.aliases(ids)
