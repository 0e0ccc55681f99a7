"""Collectors with their last result, one collector with its runs, and populations.

    collector_statuses()                every collector: last run, next run, adopted controls
    collector_status(key), runs(key)    one of them, and its runs, newest first
    run_of(run_id, lock)                a run with its work
    population(key, first, last)        the rows of these days, for freezing them
    evidence_of(collector)              the evidence item its versions belong to

An auditor sees only collectors that support a control of their engagement, and only those
controls.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.collectors.models import CollectorRun
from governance.assurance.controls.models import Control
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.foundation.populations.collector import Collector, every_collector
from governance.foundation.populations.periods import day_range, next_due
from governance.foundation.populations.population import CollectorPopulation
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.safety.visibility_scope import Scope, limits
from governance.kernel.work import background_work
from governance.kernel.work.background_work import UNDER_WAY, Run, with_work
from governance.kernel.work.jobs import WorkItem


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run with its work. `state` combines both for readers."""

    run: CollectorRun
    work: WorkItem | None

    @property
    def state(self) -> str:
        """The state of the work until the run has ended, then the state of the run.

        The work is queued, running, failed or cancelled; the run is filed, nothing or missed.
        """
        return self.run.state if self.run.is_ready else Run(self.run, self.work).state

    @property
    def kind(self) -> str:
        """The kind of the pill."""
        if self.state == "filed":
            return "ok" if self.run.is_fine else "bad"
        return {"failed": "bad", "missed": "due", "nothing": "due", "cancelled": "none"}.get(
            self.state, "info"
        )

    @property
    def word(self) -> str:
        if self.state == "filed":
            return "Collected" if self.run.is_fine else "Needs attention"
        return {"nothing": "No evidence found", "queued": "Queued", "running": "Running"}.get(
            self.state, self.state.capitalize()
        )

    @property
    def sentence(self) -> str:
        if self.state == "failed":
            return (self.work.error if self.work else None) or "The run ended without a result."
        if self.state == "cancelled":
            return "The run was cancelled. Nothing was collected."
        return self.run.says or (self.work.step if self.work else "")

    @property
    def is_under_way(self) -> bool:
        return self.state in {"queued", "running"}


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """A collector, its last run and its next one, for the list."""

    collector: Collector
    controls: Sequence[tuple[UUID, str]]
    last: RunStatus | None
    due: date
    made_for: Sequence[str] = ()

    @property
    def needs_somebody(self) -> bool:
        return self.last is not None and self.last.kind in {"bad", "due"}


def find_collector(key: str) -> Collector:
    if key not in every_collector():
        raise NotFound("This collector doesn't exist, or you don't have access to it.")
    return every_collector()[key]


def collector_statuses() -> list[CollectorStatus]:
    """Return all collectors in the order of the registry, in three statements."""
    newest, adopted, scope = _newest(), _adopted(), limits()
    return [
        _status(c, adopted, newest.get(c.key), scope)
        for c in every_collector().values()
        if _serves(c, adopted, scope)
    ]


def collector_status(key: str) -> CollectorStatus:
    found, adopted, scope = find_collector(key), _adopted(), limits()
    if not _serves(found, adopted, scope):
        raise NotFound("This collector doesn't exist, or you don't have access to it.")
    return _status(found, adopted, _newest(key).get(key), scope)


def _adopted() -> Mapping[str, tuple[UUID, str]]:
    """Return by ref the adopted controls that collectors support and the acting person may view."""
    refs, scope = {ref for c in every_collector().values() for ref in c.controls}, limits()
    rows = session().execute(
        select(Control.id, Control.ref).where(Control.ref.in_(refs), Control.retired_at.is_(None))
    )
    return {row.ref: (row.id, row.ref) for row in rows if scope is None or scope.holds(row.id)}


def _serves(found: Collector, adopted: Mapping[str, tuple[UUID, str]], scope: Scope | None) -> bool:
    return scope is None or any(ref in adopted for ref in found.controls)


def _status(
    found: Collector,
    adopted: Mapping[str, tuple[UUID, str]],
    last: RunStatus | None,
    scope: Scope | None,
) -> CollectorStatus:
    made_for = [ref for ref in found.controls if scope is None or ref in adopted]
    controls = [adopted[ref] for ref in found.controls if ref in adopted]
    return CollectorStatus(found, controls, last, next_due(found.schedule, clock.today()), made_for)


def controls_of(found: Collector) -> Sequence[UUID]:
    """Return the adopted controls that the collector supports."""
    query = select(Control.id).where(Control.ref.in_(found.controls), Control.retired_at.is_(None))
    return session().scalars(query.order_by(Control.ref)).all()


def _newest(key: str | None = None) -> dict[str, RunStatus]:
    query = with_work(CollectorRun)
    query = query.ext(distinct_on(CollectorRun.key)).order_by(
        CollectorRun.key, CollectorRun.created_at.desc(), CollectorRun.id.desc()
    )
    rows = session().execute(query.where(CollectorRun.key == key) if key else query)
    return {run.key: RunStatus(run, work) for run, work in rows}


def runs(
    key: str,
    criteria: Mapping[str, str],
    *,
    sort: str = "-run",
    after: str | None = None,
    size: int = 25,
) -> Keyset:
    """Return a page of the collector's runs. `criteria` may have q, state and by (schedule, hand)."""
    query: Any = with_work(CollectorRun).where(CollectorRun.key == key)
    for word in criteria.get("q", "").split():
        query = query.where(
            func.concat_ws(
                " ", CollectorRun.period, CollectorRun.says, CollectorRun.sha256
            ).icontains(word, autoescape=True)
        )
    if "by" in criteria:
        query = query.where(
            {"schedule": CollectorRun.scheduled, "hand": ~CollectorRun.scheduled}.get(
                criteria["by"], false()
            )
        )
    if "state" in criteria:
        query = query.where(_is_in_state(criteria["state"]))
    found = keyset(
        query,
        CollectorRun.created_at,
        CollectorRun.id,
        after=after,
        size=size,
        descending=sort.startswith("-"),
    )
    return replace(found, rows=[RunStatus(run, work) for run, work in found.rows])


def _is_in_state(state: str) -> ColumnElement[bool]:
    """Return the condition that a run has a state of `RunStatus.state`.

    The state of the work applies until the run has ended.
    """
    works = {"under_way": UNDER_WAY, "failed": ("failed", "done"), "cancelled": ("cancelled",)}
    if state not in works:
        return (CollectorRun.state == state) & (CollectorRun.state != "queued")
    return (CollectorRun.state == "queued") & WorkItem.state.in_(works[state])


def count_runs(key: str) -> int:
    return session().scalar(select(func.count()).where(CollectorRun.key == key)) or 0


def run_of(run_id: UUID, *, lock: bool = False) -> Run[CollectorRun]:
    return background_work.run_of(find(CollectorRun, run_id, what="run", lock=lock))


def visible_run(run_id: UUID) -> CollectorRun:
    """Return a run of a collector that the acting person may view."""
    run = find(CollectorRun, run_id, what="run")
    collector_status(run.key)
    return run


def known_periods() -> set[tuple[str, str]]:
    """Return (key, period) of every scheduled run."""
    rows = session().execute(
        select(CollectorRun.key, CollectorRun.period).where(CollectorRun.scheduled)
    )
    return {(row.key, row.period) for row in rows}


def under_way(key: str, period: str) -> CollectorRun | None:
    """Return the collector's unfinished run for that period."""
    same = (CollectorRun.key == key, CollectorRun.period == period, CollectorRun.state == "queued")
    return next(iter(background_work.under_way(CollectorRun, *same)), None)


def population(key: str, period_from: date, period_to: date) -> CollectorPopulation:
    """Return what the collector's query finds for these days now."""
    return find_collector(key).population(day_range(period_from, period_to))


def evidence_of(found: Collector, title: str) -> Evidence | None:
    """Return the live evidence item of the collector's last version.

    Before the first version, return a live item with that title.
    """
    filed = select(EvidenceVersion.evidence_id).join(
        CollectorRun, CollectorRun.evidence_version_id == EvidenceVersion.id
    )
    filed = (
        filed.where(CollectorRun.key == found.key).order_by(CollectorRun.created_at.desc()).limit(1)
    )
    query = select(Evidence).where(Evidence.retired_at.is_(None))
    item = session().scalars(query.where(Evidence.id == filed.scalar_subquery())).one_or_none()
    return item or session().scalars(query.where(Evidence.title == title).limit(1)).one_or_none()


def files_of(version_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str, int]]:
    """Return (evidence id, ref, number) by version, for evidence that the acting person may view."""
    scope = limits()
    query = select(EvidenceVersion.id, Evidence.id, Evidence.ref, EvidenceVersion.number)
    query = query.join(Evidence, Evidence.id == EvidenceVersion.evidence_id).where(
        EvidenceVersion.id.in_(version_ids)
    )
    return {
        row[0]: (row[1], row[2], row[3])
        for row in session().execute(query)
        if scope is None or scope.holds_evidence(row[1])
    }
