"""The context of the evidence pages: the engagement, running work, and the counts of the tabs.

engaged()      the reader's open engagement, or the next one; one statement
running()      packages and reports that are being generated; one statement
counts()       the counts of the tabs; one statement
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from governance.assurance.controls.models import Control
from governance.assurance.engagements import permissions as engaging
from governance.assurance.engagements import queries as engagements
from governance.assurance.engagements.models import AuditRequest, Engagement, EvidencePackage
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.version_queries import is_not_withdrawn
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing.work_in_progress import CurrentEngagement, RunningWork
from governance.foundation.logbook.log_health import recall
from governance.foundation.populations.collector import every_collector
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import Scope, scope
from governance.kernel.work.background_work import kind_of
from governance.kernel.work.jobs import WorkItem
from governance.publishing.reports import permissions as reporting
from governance.publishing.reports.models import ReportRun

MAX_RUNNING = 6


def engaged() -> CurrentEngagement | None:
    """Return the current engagement. None without permission, or when all are over."""
    if not allowed(engaging.VIEW):
        return None
    engagement = _of_auditor() if current.actor().role == "auditor" else _of_tenant()
    if engagement is None:
        return None
    framework_id = engagement.framework_id
    framework = frameworks.framework_by_id(framework_id) if framework_id else None
    soc2 = framework is not None and framework.key.startswith("soc2")
    name = "SOC 2 Type II" if soc2 else f"{framework.title}, Type II" if framework else "Type II"
    return CurrentEngagement(
        engagement.id,
        engagement.firm,
        name,
        framework.key if framework else None,
        engagement.period_from,
        engagement.period_to,
        engagement.fieldwork_from,
        engagement.fieldwork_to,
        is_open=engagement.is_open(clock.now()),
    )


def _of_auditor() -> Engagement | None:
    mine = engagements.open_engagements_of(_me())
    return min(mine, key=lambda each: each.closes_at) if mine else None


def _of_tenant() -> Engagement | None:
    """Return the engagement that ends first. An open one comes before a future one."""
    query = (
        select(Engagement)
        .where(is_current())
        .order_by(Engagement.opens_at > clock.now(), Engagement.closes_at, Engagement.ref)
    )
    return session().scalars(query.limit(1)).one_or_none()


def is_current() -> ColumnElement[bool]:
    """Match engagements that are open or still to come."""
    now = clock.now()
    return (Engagement.closes_at > now) & or_(
        Engagement.ended_at.is_(None), Engagement.ended_at > now
    )


def running() -> Sequence[RunningWork]:
    """Return running packages and reports. An auditor sees the packages of their engagements."""
    packages, reports = (
        allowed(engaging.PACKAGE),
        allowed(reporting.VIEW) and current.actor().role != "auditor",
    )
    shown = [
        each
        for each, may in (
            (EvidencePackage.id.is_not(None), packages),
            (ReportRun.id.is_not(None), reports),
        )
        if may
    ]
    if not shown:
        return ()
    query = (
        select(WorkItem, EvidencePackage, Engagement.firm, ReportRun)
        .outerjoin(EvidencePackage, EvidencePackage.work_item_id == WorkItem.id)
        .outerjoin(Engagement, Engagement.id == EvidencePackage.engagement_id)
        .outerjoin(ReportRun, ReportRun.work_item_id == WorkItem.id)
        .where(WorkItem.state.in_(("queued", "running")), or_(*shown))
    )
    if current.actor().role == "auditor":
        query = query.where(
            Engagement.id.in_([each.id for each in engagements.open_engagements_of(_me())])
        )
    rows = session().execute(query.order_by(WorkItem.created_at, WorkItem.id).limit(MAX_RUNNING))
    return [_running(*row) for row in rows]


def _running(
    work: WorkItem, package: EvidencePackage | None, firm: str | None, report: ReportRun | None
) -> RunningWork:
    row = package or report
    assert row is not None
    kind = kind_of(row)
    title, (endpoint, values) = (
        f"Evidence package, {firm}" if package else kind.title(row),
        kind.page(row),
    )
    return RunningWork(title, kind.icon, work, endpoint, dict(values))


def _me() -> UUID:
    return current.actor().person_id or UUID(int=0)


def counts() -> Mapping[str, int]:
    """Return the inbox, library, controls, requests and collectors that the reader may see.

    The counts are read once a minute and after each change. For an auditor, whose scope they depend
    on, they are read each time.
    """
    if current.actor().role == "auditor":
        return _read_counts()
    return recall(("evidence tabs", clock.now().replace(second=0, microsecond=0)), _read_counts)


def _read_counts() -> Mapping[str, int]:
    visible = scope()
    parts = {
        "inbox": _inbox(visible),
        "library": _library(visible),
        "controls": _controls(visible),
        "requests": _requests(),
    }
    row = (
        session()
        .execute(select(*(part.scalar_subquery().label(name) for name, part in parts.items())))
        .one()
    )
    return {
        **row._mapping,  # noqa: SLF001
        "collectors": len(every_collector()),
    }


def _library(visible: Scope | None) -> Any:
    query = select(func.count()).select_from(Evidence).where(Evidence.retired_at.is_(None))
    return (
        query
        if visible is None or visible.evidence is None
        else query.where(Evidence.id.in_(visible.evidence))
    )


def _inbox(visible: Scope | None) -> Any:
    """Count versions without a review, except corrupted, withdrawn or deleted ones."""
    v, review, fault, gone = EvidenceVersion, EvidenceReview, EvidenceFault, EvidenceDeletion
    query = (
        select(func.count())
        .select_from(v)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(
            Evidence.retired_at.is_(None),
            ~select(review.id).where(review.version_id == v.id).exists(),
            is_not_withdrawn(),
            ~select(fault.id).where(fault.version_id == v.id, fault.restored_at.is_(None)).exists(),
            ~select(gone.id).where(gone.version_id == v.id, gone.state.in_(DECIDED)).exists(),
        )
    )
    return (
        query
        if visible is None or visible.evidence is None
        else query.where(v.evidence_id.in_(visible.evidence))
    )


def _controls(visible: Scope | None) -> Any:
    query = select(func.count()).select_from(Control).where(Control.retired_at.is_(None))
    return (
        query
        if visible is None or visible.controls is None
        else query.where(Control.id.in_(visible.controls))
    )


def _requests() -> Any:
    """Count open and returned requests of current engagements. An auditor gets their own."""
    query = (
        select(func.count())
        .select_from(AuditRequest)
        .join(Engagement, Engagement.id == AuditRequest.engagement_id)
    )
    query = query.where(AuditRequest.state.in_(("open", "returned")), is_current())
    if current.actor().role == "auditor":
        query = query.where(
            Engagement.id.in_([each.id for each in engagements.open_engagements_of(_me())])
        )
    return query
