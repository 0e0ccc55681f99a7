"""Queries for playbooks and their versions, and for runs with the results of their steps."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, select

from governance.assurance.playbooks.models import (
    Playbook,
    PlaybookRun,
    PlaybookStepResult,
    PlaybookVersion,
)
from governance.assurance.playbooks.steps import PlaybookStep, read_steps
from governance.kernel import clock
from governance.kernel.data.db import find, find_several, session
from governance.kernel.data.selects import Rows, one_of, read_rows
from governance.kernel.pages.rendering import Keyset, sorted_page


@dataclass(frozen=True, slots=True)
class RunStep:
    """A step of a run, with its result, or None while it is open."""

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
        """Whether the playbook has a newer version than the run."""
        return self.playbook.version > self.version.number


def playbook(playbook_id: UUID, *, lock: bool = False) -> Playbook:
    return find(Playbook, playbook_id, lock=lock)


def find_playbooks(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Playbook]:
    """Return the playbooks with these ids, by ref. Skip unknown ids."""
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
    """Return a page of playbooks. `wanted` has the filters: q, state (live, due, retired)."""
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
    return sorted_page(query, SORTS, sort, after=after, size=size)


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
    """List all versions, the newest first."""
    query = select(PlaybookVersion).where(PlaybookVersion.playbook_id == playbook_id)
    return session().scalars(query.order_by(PlaybookVersion.number.desc())).all()


def _runs(column: Any, name: str, limit: int) -> tuple[Rows[Any], ...]:
    """Declare the rows of the latest runs whose `column` is in the id parameter `name`.

    These are the runs, newest first, their playbooks, versions and step results.
    """
    latest = (PlaybookRun.created_at.desc(), PlaybookRun.id.desc())

    def of_them(mine: Any, of_run: Any) -> ColumnElement[bool]:
        ids = select(of_run).where(one_of(column, name)).order_by(*latest).limit(limit)
        found: ColumnElement[bool] = mine.in_(ids)
        return found

    return (
        Rows(PlaybookRun, lambda _m: one_of(column, name), lambda _m: latest, limit=limit),
        Rows(Playbook, lambda m: of_them(m.id, PlaybookRun.playbook_id), lambda m: (m.id,)),
        Rows(PlaybookVersion, lambda m: of_them(m.id, PlaybookRun.version_id), lambda m: (m.id,)),
        Rows(PlaybookStepResult, lambda m: of_them(m.run_id, PlaybookRun.id), lambda m: (m.id,)),
    )


OF_PLAYBOOK = _runs(PlaybookRun.playbook_id, "playbook_ids", 10)
OF_INCIDENT = _runs(PlaybookRun.incident_id, "incident_ids", 20)


def runs(playbook_id: UUID) -> list[RunProgress]:
    """List the latest 10 runs of a playbook, newest first, in one statement."""
    return _with_steps(*read_rows(*OF_PLAYBOOK, playbook_ids=(playbook_id,)))


def runs_of(incident_id: UUID) -> list[RunProgress]:
    """List the latest 20 runs in an incident, newest first, in one statement."""
    return _with_steps(*read_rows(*OF_INCIDENT, incident_ids=(incident_id,)))


def runs_in(incident_ids: Collection[UUID]) -> list[RunProgress]:
    """List the latest 20 runs in these incidents together, newest first, in one statement."""
    return _with_steps(*read_rows(*OF_INCIDENT, incident_ids=tuple(incident_ids)))


def _with_steps(
    found: Sequence[PlaybookRun],
    books: Sequence[Playbook],
    versions_of: Sequence[PlaybookVersion],
    results: Sequence[PlaybookStepResult],
) -> list[RunProgress]:
    book = {each.id: each for each in books}
    version_of = {each.id: each for each in versions_of}
    done = _by_run(results)
    return [
        _progress(each, book[each.playbook_id], version_of[each.version_id], done.get(each.id, {}))
        for each in found
    ]


def progress(of: PlaybookRun) -> RunProgress:
    """Return the run with its playbook, version and steps."""
    version_of = find(PlaybookVersion, of.version_id)
    results = session().scalars(
        select(PlaybookStepResult).where(PlaybookStepResult.run_id == of.id)
    )
    return _progress(of, playbook(of.playbook_id), version_of, _by_run(results).get(of.id, {}))


def open_run(playbook_id: UUID, *, incident_id: UUID | None, is_drill: bool) -> PlaybookRun | None:
    """Return the unfinished run of a playbook in this incident, or its unfinished drill, if any."""
    query = select(PlaybookRun).where(
        PlaybookRun.playbook_id == playbook_id,
        PlaybookRun.incident_id == incident_id,
        PlaybookRun.is_drill == is_drill,
        PlaybookRun.ended_at.is_(None),
    )
    return session().scalars(query.order_by(PlaybookRun.created_at.desc()).limit(1)).one_or_none()


def latest_run_days(playbook_ids: Collection[UUID]) -> Mapping[UUID, Any]:
    """Return the time of the latest run by playbook id. Playbooks without runs are left out."""
    query = (
        select(PlaybookRun.playbook_id, func.max(PlaybookRun.created_at))
        .where(PlaybookRun.playbook_id.in_(playbook_ids))
        .group_by(PlaybookRun.playbook_id)
    )
    return {row[0]: row[1] for row in session().execute(query)}


def upcoming_drills(limit: int = 5) -> Sequence[Playbook]:
    """List the playbooks whose drills come next, the earliest first."""
    query = (
        select(Playbook)
        .where(Playbook.retired_at.is_(None), Playbook.next_drill_on.is_not(None))
        .order_by(Playbook.next_drill_on, Playbook.title)
        .limit(limit)
    )
    return session().scalars(query).all()


def _by_run(results: Iterable[PlaybookStepResult]) -> dict[UUID, dict[int, PlaybookStepResult]]:
    found: dict[UUID, dict[int, PlaybookStepResult]] = {}
    for each in results:
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
