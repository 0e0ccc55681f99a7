"""Playbooks with their versions, and runs with the results of their steps."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import false, func, select

from governance.assurance.playbooks.models import (
    Playbook,
    PlaybookRun,
    PlaybookStepResult,
    PlaybookVersion,
)
from governance.assurance.playbooks.steps import PlaybookStep, read_steps
from governance.kernel import clock
from governance.kernel.db import find, find_several, session
from governance.kernel.pages import Keyset, keyset
from governance.kernel.read_ahead import Rows


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run, and its result once there is one."""

    number: int
    step: PlaybookStep
    result: PlaybookStepResult | None

    @property
    def state(self) -> str:
        return self.result.state if self.result is not None else "open"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run with its playbook, the version it follows and its steps."""

    run: PlaybookRun
    playbook: Playbook
    version: PlaybookVersion
    steps: Sequence[RunStep]

    @property
    def done(self) -> int:
        return sum(step.state == "done" for step in self.steps)

    @property
    def skipped(self) -> int:
        return sum(step.state == "skipped" for step in self.steps)

    @property
    def left(self) -> int:
        return len(self.steps) - self.done - self.skipped

    @property
    def next(self) -> RunStep | None:
        return next((step for step in self.steps if step.result is None), None)

    @property
    def is_outdated(self) -> bool:
        """Whether the playbook has a newer version than the one this run follows."""
        return self.playbook.version > self.version.number


def playbook(playbook_id: UUID, *, lock: bool = False) -> Playbook:
    return find(Playbook, playbook_id, lock=lock)


def find_playbooks(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Playbook]:
    """Return these playbooks by ref, as far as they exist; `lock` locks the rows."""
    return find_several(Playbook, ids, order=Playbook.ref, lock=lock)


def run(run_id: UUID, *, lock: bool = False) -> PlaybookRun:
    return find(PlaybookRun, run_id, what="playbook run", lock=lock)


SORTS: Mapping[str, tuple[Any, ...]] = {
    "title": (Playbook.title, Playbook.id),
    "drill": (func.coalesce(Playbook.next_drill_on, func.to_date("9999", "YYYY")), Playbook.id),
}


def playbooks(
    wanted: Mapping[str, str], *, sort: str = "title", after: str | None = None, size: int = 25
) -> Keyset:
    """A page of playbooks. `wanted` holds the filters: q, state (live, due, retired)."""
    p = Playbook
    query = select(p).where(
        *(
            p.title.icontains(word, autoescape=True) | p.used_for.icontains(word, autoescape=True)
            for word in wanted.get("q", "").split()
        )
    )
    states = {
        "live": p.retired_at.is_(None),
        "due": p.retired_at.is_(None) & (p.next_drill_on <= clock.today()),
        "retired": p.retired_at.is_not(None),
    }
    query = query.where(states.get(wanted.get("state", "live"), false()))
    return keyset(
        query,
        *SORTS[sort.removeprefix("-")],
        after=after,
        size=size,
        descending=sort.startswith("-"),
    )


def count_playbooks() -> int:
    return session().scalar(select(func.count()).select_from(Playbook)) or 0


LIVE_PLAYBOOKS = Rows(Playbook, lambda m: m.retired_at.is_(None), lambda m: (m.title, m.id))


def live_playbooks() -> Sequence[Playbook]:
    return LIVE_PLAYBOOKS.read()


def present_version(book: Playbook) -> PlaybookVersion:
    return version(book.id, book.version)


def version(playbook_id: UUID, number: int) -> PlaybookVersion:
    query = select(PlaybookVersion).where(
        PlaybookVersion.playbook_id == playbook_id, PlaybookVersion.number == number
    )
    return session().scalars(query).one()


def versions(playbook_id: UUID) -> Sequence[PlaybookVersion]:
    """Every version, newest first."""
    query = select(PlaybookVersion).where(PlaybookVersion.playbook_id == playbook_id)
    return session().scalars(query.order_by(PlaybookVersion.number.desc())).all()


def runs(
    *, playbook_id: UUID | None = None, incident_id: UUID | None = None, limit: int = 10
) -> list[RunProgress]:
    """The latest runs, newest first, of a playbook or in an incident; two statements."""
    query = (
        select(PlaybookRun, Playbook, PlaybookVersion)
        .join(Playbook, Playbook.id == PlaybookRun.playbook_id)
        .join(PlaybookVersion, PlaybookVersion.id == PlaybookRun.version_id)
        .order_by(PlaybookRun.created_at.desc(), PlaybookRun.id.desc())
        .limit(limit)
    )
    if playbook_id is not None:
        query = query.where(PlaybookRun.playbook_id == playbook_id)
    if incident_id is not None:
        query = query.where(PlaybookRun.incident_id == incident_id)
    rows = session().execute(query).all()
    found = _results([row[0].id for row in rows])
    return [_progress(*row, found.get(row[0].id, {})) for row in rows]


def runs_of(incident_id: UUID) -> list[RunProgress]:
    """The runs inside an incident, newest first."""
    return runs(incident_id=incident_id, limit=20)


def progress(of: PlaybookRun) -> RunProgress:
    """The run with its steps."""
    version_of = find(PlaybookVersion, of.version_id)
    return _progress(of, playbook(of.playbook_id), version_of, _results([of.id]).get(of.id, {}))


def latest_run_days(playbook_ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """{playbook id: when it was last run}."""
    query = (
        select(PlaybookRun.playbook_id, func.max(PlaybookRun.created_at))
        .where(PlaybookRun.playbook_id.in_(playbook_ids))
        .group_by(PlaybookRun.playbook_id)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def upcoming_drills(limit: int = 5) -> Sequence[Playbook]:
    """The playbooks whose drill comes next, the earliest first."""
    query = (
        select(Playbook)
        .where(Playbook.retired_at.is_(None), Playbook.next_drill_on.is_not(None))
        .order_by(Playbook.next_drill_on, Playbook.title)
        .limit(limit)
    )
    return session().scalars(query).all()


def _results(run_ids: Collection[UUID]) -> dict[UUID, dict[int, PlaybookStepResult]]:
    if not run_ids:
        return {}
    found: dict[UUID, dict[int, PlaybookStepResult]] = {}
    query = select(PlaybookStepResult).where(PlaybookStepResult.run_id.in_(run_ids))
    for each in session().scalars(query):
        found.setdefault(each.run_id, {})[each.position] = each
    return found


def _progress(
    of: PlaybookRun,
    book: Playbook,
    version_of: PlaybookVersion,
    results: Mapping[int, PlaybookStepResult],
) -> RunProgress:
    steps = [
        RunStep(number, step, results.get(number))
        for number, step in enumerate(read_steps(version_of.steps), 1)
    ]
    return RunProgress(of, book, version_of, steps)
