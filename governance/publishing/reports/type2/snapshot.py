"""The frozen data of a Type II evidence matrix: full months, as on file at the request.

    snapshot(first, last, framework)    plain JSON, schema `governance.type-ii-matrix/1`

It includes the rows of populations, up to MAX_ROWS in all; they become attached CSV files. A
population that doesn't fit has its count and digest only. People are named, since results show who
found them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing import (
    exception_queries,
    matrix_queries,
    population_queries,
    sample_queries,
)
from governance.assurance.testing.exception_queries import ExceptionCase
from governance.assurance.testing.matrix_facts import MatrixRow
from governance.assurance.testing.models import Finding, ItemResult, Population
from governance.assurance.testing.sample_queries import ItemView, SampleProgress
from governance.assurance.testing.sampling import spaced_seed
from governance.foundation.people.aliases import FORMER_MEMBER
from governance.foundation.people.queries import names
from governance.kernel.data.db import session

SCHEMA = "governance.type-ii-matrix/1"
MAX_ROWS = 60_000  # Rows of all populations together: about 20 MB, which a PDF can still include.
type Json = dict[str, Any]


@dataclass(slots=True)
class _KnownPeople:
    """Names by id, and the number of rows that may still be included."""

    people: Mapping[UUID, str] = field(default_factory=dict)
    room: int = 0

    def who(self, person_id: UUID | None) -> str:
        return self.people.get(person_id, FORMER_MEMBER) if person_id else ""


def snapshot(first: date, last: date, framework: str | None = None) -> Json:
    """Return all data of the report on these months, for all controls or those of a framework."""
    rows = matrix_queries.matrix(first, last, framework)
    drawn = sample_queries.samples(since=first, until=last)[::-1]
    views = {each.sample.id: sample_queries.items(each.sample.id) for each in drawn}
    populations = _overlapping(first, last, {row.control_id: row.ref for row in rows})
    numbers = {each.id: f"POP-{n:02}" for n, each in enumerate(populations, 1)}
    cases = _cases(set(numbers), drawn, {row.control_id for row in rows}, first, last)
    known = _KnownPeople(names(_everybody(populations, drawn, views, cases)), MAX_ROWS)
    refs = {row.control_id: row.ref for row in rows}
    return {
        "schema": SCHEMA,
        "framework": frameworks.framework(framework).title if framework else None,
        "period": {"from": first.isoformat(), "to": last.isoformat()},
        "controls": [_row(each) for each in rows],
        "populations": [
            _population(each, numbers[each.id], refs[each.control_id], known)
            for each in populations
        ],
        "samples": [
            _sample(each, n, numbers, views[each.sample.id], known)
            for n, each in enumerate(drawn, 1)
            if each.population.id in numbers
        ],
        "exceptions": [_exception(each, known) for each in cases],
        "revisions": [],
    }


def _overlapping(first: date, last: date, refs: Mapping[UUID, str]) -> list[Population]:
    """List the populations of these controls, by control, oldest first, in one statement without
    rows.
    """
    query = select(Population).where(Population.period_from <= last, Population.period_to >= first)
    found = [
        each
        for each in session().scalars(query.order_by(Population.created_at, Population.id))
        if each.control_id in refs
    ]
    return sorted(found, key=lambda each: refs[each.control_id])


def _cases(
    populations: set[UUID],
    drawn: Sequence[SampleProgress],
    controls: set[UUID],
    first: date,
    last: date,
) -> list[ExceptionCase]:
    """Return exceptions of the shown samples and of cycles missed in these months, oldest first."""
    shown = {each.sample.id for each in drawn if each.population.id in populations}
    return [
        case
        for case in reversed(exception_queries.exceptions())
        if _is_shown(case, shown, controls, first, last)
    ]


def _is_shown(
    case: ExceptionCase, samples: set[UUID], controls: set[UUID], first: date, last: date
) -> bool:
    if case.sample is not None:
        return case.sample.id in samples
    missed = case.exception.missed_to
    return missed is not None and first <= missed <= last and case.control.id in controls


def _row(row: MatrixRow) -> Json:
    return {
        "ref": row.ref,
        "title": row.title,
        "cadence": row.cadence,
        "tested": row.tested,
        "to_test": row.expected,
        "on_file": row.on_file,
        "due": row.due,
        "lacks": list(row.lacks),
        "exceptions": list(row.exceptions),
        "months": [
            {"month": c.month.isoformat(), "kind": c.kind, "count": c.count, "why": c.why}
            for c in row.months
        ],
    }


def _population(population: Population, number: str, control: str, known: _KnownPeople) -> Json:
    """Return a population with its stored rows, and whether they still match the frozen digest."""
    fits = population.row_count <= known.room
    rows: list[Any] = []
    intact: bool | None = None
    if fits:
        known.room -= population.row_count
        stored = population_queries.population(population.id, whole=True)
        rows, intact = stored.rows, population_queries.is_as_frozen(stored)
    return {
        "number": number,
        "control": control,
        "key": population.key,
        "title": population.title,
        "source": population.source,
        "query": population.query,
        "parameters": {
            str(name): str(value) for name, value in sorted(population.parameters.items())
        },
        "period": {
            "from": population.period_from.isoformat(),
            "to": population.period_to.isoformat(),
        },
        "run_at": _iso(population.run_at),
        "run_by": population.run_by,
        "frozen_by": known.who(population.frozen_by),
        "frozen_at": _iso(population.created_at),
        "id_column": population.id_column,
        "row_count": population.row_count,
        "sha256": population.sha256,
        "intact": intact,
        "attached": fits,
        "columns": list(rows[0]) if rows else [],
        "rows": [list(row.values()) for row in _aligned(rows)],
    }


def _aligned(rows: Sequence[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Return each row with its columns in the order of the first row."""
    columns = list(rows[0]) if rows else []
    for row in rows:
        yield {name: row[name] for name in columns}


def _sample(
    each: SampleProgress,
    n: int,
    numbers: Mapping[UUID, str],
    views: Sequence[ItemView],
    known: _KnownPeople,
) -> Json:
    sample = each.sample
    return {
        "number": f"SMP-{n:02}",
        "population": numbers[each.population.id],
        "control": each.control.ref,
        "rule": sample.rule,
        "size": sample.size,
        "advised": sample.advised,
        "reason": sample.reason,
        "seed": spaced_seed(sample.seed),
        "population_sha256": sample.population_sha256,
        "attributes": list(sample.attributes),
        "drawn_by": known.who(sample.drawn_by),
        "drawn_at": _iso(sample.created_at),
        "tested": each.tested,
        "failed": each.failed,
        "items": [_item(view, known) for view in views],
    }


def _item(view: ItemView, known: _KnownPeople) -> Json:
    found: ItemResult | None = view.result
    return {
        "number": view.item.number,
        "item": view.item.item,
        "dated": view.item.dated.isoformat() if view.item.dated else None,
        "outcome": found.outcome if found else None,
        "checks": dict(found.checks) if found else {},
        "note": found.note if found else "",
        "tested_by": known.who(found.tested_by) if found else None,
        "tested_at": _iso(found.created_at) if found else None,
        "results": found.number if found else 0,
        "exception": view.exception.ref if view.exception else None,
    }


def _exception(case: ExceptionCase, known: _KnownPeople) -> Json:
    exception = case.exception
    return {
        "ref": exception.ref,
        "control": case.control.ref,
        "item": case.what,
        "says": exception.says,
        "cause": exception.cause,
        "effect": exception.effect,
        "correction": exception.correction,
        "response": exception.response,
        "state": case.state,
        "found_by": known.who(exception.found_by),
        "found_at": _iso(exception.created_at),
        "responded_by": known.who(exception.responded_by) or None,
        "finding": _finding(case.finding, known) if case.finding else None,
    }


def _finding(finding: Finding, known: _KnownPeople) -> Json:
    retests = [
        {
            "on": each.tested_on.isoformat(),
            "sample": each.sample,
            "failed": each.failed,
            "note": each.note,
            "by": known.who(each.tested_by),
        }
        for each in reversed(exception_queries.retests(finding.id))
    ]
    return {
        "ref": finding.ref,
        "title": finding.title,
        "plan": finding.plan,
        "owner": known.who(finding.owner_id),
        "due_on": finding.due_on.isoformat(),
        "remedy": finding.remedy,
        "remedied_at": _iso(finding.remedied_at),
        "remedied_by": known.who(finding.remedied_by) or None,
        "closed_at": _iso(finding.closed_at),
        "retests": retests,
    }


def _everybody(
    populations: Sequence[Population],
    drawn: Sequence[SampleProgress],
    views: Mapping[UUID, Sequence[ItemView]],
    cases: Sequence[ExceptionCase],
) -> Iterator[UUID | None]:
    yield from (each.frozen_by for each in populations)
    yield from (each.sample.drawn_by for each in drawn)
    yield from (view.result.tested_by for items in views.values() for view in items if view.result)
    for case in cases:
        yield from (case.exception.found_by, case.exception.responded_by)
        if case.finding is not None:
            yield from (case.finding.owner_id, case.finding.remedied_by)
            yield from (each.tested_by for each in exception_queries.retests(case.finding.id))


def _iso(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None
