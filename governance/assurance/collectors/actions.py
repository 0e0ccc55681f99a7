"""Request collector runs, store their populations and record missed periods.

request_run(collector, period)       queues a run: once per period on schedule, or manually
record_missed(collector, period)     records that Meridian wasn't running; the period can't be
                                     collected later
RUNS                                 cancels and retries runs like all background work
file_evidence(run, collected)        stores the population as a version of the evidence
"""

import io
from datetime import timedelta

from sqlalchemy import select

from governance.assurance.collectors import permissions, queries
from governance.assurance.collectors.models import CollectorRun
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import link_actions, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import Evidence, EvidenceLink
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.populations.collector import Collected, Collector
from governance.foundation.populations.periods import Period
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.work import background_work

RUN_REQUESTED = action(
    "collector.run.requested",
    "requested a collector run",
    target="CollectorRun",
    activity="create",
    severity="informational",
    fields="key period scheduled again",
)
CANCELLED = action(
    "collector.run.cancelled",
    "cancelled a collector run",
    target="CollectorRun",
    activity="update",
    severity="informational",
    fields="key period",
)
FILED = action(
    "collector.evidence.collected",
    "collected evidence",
    target="CollectorRun",
    activity="update",
    severity="informational",
    fields="key period rows sha256 fine evidence version",
)
NOTHING = action(
    "collector.evidence.none_found",
    "found no activity to collect as evidence",
    target="CollectorRun",
    activity="update",
    severity="informational",
    fields="key period",
)
MISSED = action(
    "collector.period.missed",
    "missed a collection period",
    target="CollectorRun",
    activity="create",
    severity="low",
    fields="key period",
)

SOURCE = "console"
PREVIEW_ROWS = 20
# Days after its period for which a version is valid.
VALIDITY_DAYS = {
    "daily": 3,
    "weekly": 14,
    "monthly": 45,
    "quarterly": 120,
}
TOO_LATE = "Meridian wasn't running, and this collector can't read past states."


def request_run(found: Collector, period: Period, *, scheduled: bool = False) -> CollectorRun:
    """Queue a run. Idempotent per period: a second click returns the first run."""
    background_work.lock(CollectorRun)
    if not scheduled and (existing := queries.under_way(found.key, period.name)) is not None:
        return existing
    return background_work.start(_run(found, period, scheduled=scheduled))


def record_missed(found: Collector, period: Period) -> CollectorRun:
    run = _run(found, period, scheduled=True)
    run.state, run.is_fine, run.says = "missed", False, TOO_LATE
    session().add(run)
    record(MISSED, run, key=run.key, period=run.period)
    return run


def _run(found: Collector, period: Period, *, scheduled: bool) -> CollectorRun:
    return CollectorRun(
        key=found.key,
        period=period.name,
        period_from=period.first,
        period_to=period.last,
        scheduled=scheduled,
        requested_by=current.actor().person_id,
        work_item_id=None,
        state="queued",
        is_fine=None,
        rows=None,
        sha256=None,
        ran_at=None,
        evidence_version_id=None,
        created_at=clock.now(),
    )


RUNS = background_work.WorkKind(
    name="collect",
    noun="run",
    model=CollectorRun,
    view=permissions.VIEW,
    permission=permissions.RUN,
    find=queries.visible_run,
    title=lambda run: f"{queries.find_collector(run.key).title}, {run.period}",
    page=lambda run: ("collectors.collector", {"key": run.key}),
    address=lambda run: {"collector_run_id": run.id},
    requested=lambda run: record(
        RUN_REQUESTED, run, key=run.key, period=run.period, scheduled=run.scheduled
    ),
    cancelled=lambda run: record(CANCELLED, run, key=run.key, period=run.period),
    icon="refresh",
    result_label="View results",
)


def file_evidence(run: CollectorRun, found: Collector, collected: Collected) -> None:
    """Store the result, once per run. If there was activity, also store an evidence version."""
    if run.state != "queued":
        return
    population = collected.population
    run.says, run.is_fine, run.rows, run.sha256, run.ran_at = (
        collected.says,
        collected.ok,
        population.row_count,
        population.sha256,
        population.run_at,
    )
    run.query, run.parameters = population.query, dict(population.parameters)
    run.preview = [
        list(population.columns),
        *([row[name] for name in population.columns] for row in population.rows[:PREVIEW_ROWS]),
    ]
    if not collected.performed:
        run.state = "nothing"
        record(NOTHING, run, key=run.key, period=run.period)
        return
    with filed_by_meridian():
        item = _evidence(found)
        version = version_actions.upload_version(
            item,
            io.BytesIO(collected.evidence),
            collected.filename,
            collected_on=clock.today(),
            period_from=run.period_from,
            period_to=run.period_to,
            valid_until=run.period_to + timedelta(days=VALIDITY_DAYS[found.schedule]),
            source=SOURCE,
        )
    run.state, run.evidence_version_id = "filed", version.id
    record(
        FILED,
        run,
        key=run.key,
        period=run.period,
        rows=run.rows,
        sha256=run.sha256,
        fine=run.is_fine,
        evidence=item.ref,
        version=version.number,
    )


def _evidence(found: Collector) -> Evidence:
    """Return the item of a collector, created once.

    It is linked to the adopted controls it supports, unless somebody removed the link.
    """
    title, note = f"{found.title}, collected by Meridian", "Collected by Meridian"
    controls = queries.controls_of(found)
    item = queries.evidence_of(found, title)
    if item is None:
        return evidence.create_item(
            title,
            kind="export",
            cadence=found.schedule,
            owner_id=None,
            controls=dict.fromkeys(controls, note),
        )
    ever = set(
        session().scalars(
            select(EvidenceLink.control_id).where(EvidenceLink.evidence_id == item.id)
        )
    )
    for control_id in set(controls) - ever:
        link_actions.link(item, control_id, note)
    return item
