"""The frozen data of a Type II evidence matrix: a period of whole months, as it is on file when the
report is asked for.

    snapshot(first, last, framework)    plain JSON, schema `governance.type-ii-matrix/1`

The rows of populations are in it, up to ROWS in all (they become CSV files beside the pages); of a
population that does not fit, the count and the digest stay, and it says so. People are named, since
results name who found them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence.shown_names import FORMER_MEMBER
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
from governance.foundation.people.queries import names
from governance.kernel.db import session

SCHEMA = "governance.type-ii-matrix/1"
ROWS = 60_000  # of all populations together: about 20 MB, which a PDF still carries
type Json = dict[str, Any]


@dataclass(slots=True)
class _Kept:
    """Who is who, and how many rows may still be taken along."""

    people: Mapping[UUID, str] = field(default_factory=dict)
    room: int = 0

    def who(self, person_id: UUID | None) -> str:
        return self.people.get(person_id, FORMER_MEMBER) if person_id else ""


def snapshot(first: date, last: date, framework: str | None = None) -> Json:
    """Everything that the report shows of these months, of all controls or of those that answer for
    a framework.
    """
    rows = matrix_queries.matrix(first, last, framework)
    drawn = sample_queries.samples(since=first, until=last)[::-1]
    views = {each.sample.id: sample_queries.items(each.sample.id) for each in drawn}
    populations = _overlapping(first, last, {row.control_id: row.ref for row in rows})
    numbers = {each.id: f"POP-{n:02}" for n, each in enumerate(populations, 1)}
    cases = _cases(set(numbers), drawn, {row.control_id for row in rows}, first, last)
    kept = _Kept(names(_everybody(populations, drawn, views, cases)), ROWS)
    refs = {row.control_id: row.ref for row in rows}
    return {
        "schema": SCHEMA,
        "framework": frameworks.framework(framework).title if framework else None,
        "period": {"from": first.isoformat(), "to": last.isoformat()},
        "controls": [_row(each) for each in rows],
        "populations": [
            _population(each, numbers[each.id], refs[each.control_id], kept) for each in populations
        ],
        "samples": [
            _sample(each, n, numbers, views[each.sample.id], kept)
            for n, each in enumerate(drawn, 1)
            if each.population.id in numbers
        ],
        "exceptions": [_exception(each, kept) for each in cases],
        "revisions": [],
    }


def _overlapping(first: date, last: date, refs: Mapping[UUID, str]) -> list[Population]:
    """Those of these controls, by control and as they were frozen; one statement, without the
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
    """The exceptions of the samples shown and of the cycles missed in these months, the oldest
    first, whenever they were found.
    """
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


def _population(held: Population, number: str, control: str, kept: _Kept) -> Json:
    """Its rows come from the store again, and what they hash to is told beside what was frozen."""
    fits = held.row_count <= kept.room
    rows: list[Any] = []
    intact: bool | None = None
    if fits:
        kept.room -= held.row_count
        whole = population_queries.population(held.id, whole=True)
        rows, intact = whole.rows, population_queries.is_as_frozen(whole)
    return {
        "number": number,
        "control": control,
        "key": held.key,
        "title": held.title,
        "source": held.source,
        "query": held.query,
        "parameters": {str(name): str(value) for name, value in sorted(held.parameters.items())},
        "period": {"from": held.period_from.isoformat(), "to": held.period_to.isoformat()},
        "run_at": _iso(held.run_at),
        "run_by": held.run_by,
        "frozen_by": kept.who(held.frozen_by),
        "frozen_at": _iso(held.created_at),
        "id_column": held.id_column,
        "row_count": held.row_count,
        "sha256": held.sha256,
        "intact": intact,
        "attached": fits,
        "columns": list(rows[0]) if rows else [],
        "rows": [list(row.values()) for row in _aligned(rows)],
    }


def _aligned(rows: Sequence[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Each row with its columns in the order of the first."""
    columns = list(rows[0]) if rows else []
    for row in rows:
        yield {name: row[name] for name in columns}


def _sample(
    each: SampleProgress,
    n: int,
    numbers: Mapping[UUID, str],
    views: Sequence[ItemView],
    kept: _Kept,
) -> Json:
    held = each.sample
    return {
        "number": f"SMP-{n:02}",
        "population": numbers[each.population.id],
        "control": each.control.ref,
        "rule": held.rule,
        "size": held.size,
        "advised": held.advised,
        "reason": held.reason,
        "seed": spaced_seed(held.seed),
        "population_sha256": held.population_sha256,
        "attributes": list(held.attributes),
        "drawn_by": kept.who(held.drawn_by),
        "drawn_at": _iso(held.created_at),
        "tested": each.tested,
        "failed": each.failed,
        "items": [_item(view, kept) for view in views],
    }


def _item(view: ItemView, kept: _Kept) -> Json:
    found: ItemResult | None = view.result
    return {
        "number": view.item.number,
        "item": view.item.item,
        "dated": view.item.dated.isoformat() if view.item.dated else None,
        "outcome": found.outcome if found else None,
        "checks": dict(found.checks) if found else {},
        "note": found.note if found else "",
        "tested_by": kept.who(found.tested_by) if found else None,
        "tested_at": _iso(found.created_at) if found else None,
        "results": found.number if found else 0,
        "exception": view.exception.ref if view.exception else None,
    }


def _exception(case: ExceptionCase, kept: _Kept) -> Json:
    held = case.exception
    return {
        "ref": held.ref,
        "control": case.control.ref,
        "item": case.what,
        "says": held.says,
        "cause": held.cause,
        "effect": held.effect,
        "correction": held.correction,
        "response": held.response,
        "state": case.state,
        "found_by": kept.who(held.found_by),
        "found_at": _iso(held.created_at),
        "responded_by": kept.who(held.responded_by) or None,
        "finding": _finding(case.finding, kept) if case.finding else None,
    }


def _finding(held: Finding, kept: _Kept) -> Json:
    tries = [
        {
            "on": each.tested_on.isoformat(),
            "sample": each.sample,
            "failed": each.failed,
            "note": each.note,
            "by": kept.who(each.tested_by),
        }
        for each in reversed(exception_queries.retests(held.id))
    ]
    return {
        "ref": held.ref,
        "title": held.title,
        "plan": held.plan,
        "owner": kept.who(held.owner_id),
        "due_on": held.due_on.isoformat(),
        "remedy": held.remedy,
        "remedied_at": _iso(held.remedied_at),
        "remedied_by": kept.who(held.remedied_by) or None,
        "closed_at": _iso(held.closed_at),
        "retests": tries,
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
