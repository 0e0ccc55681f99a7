"""Case-by-case sums over two runs, computed by the database.

Cases are joined by digest and repetition.

join_by_hash()               before any of these
overlap(old, new)            how many cases both have, and how many only one has
measure_counts(…)            sums of each measure's pairs; a row for each measure
latencies(…)                 percentiles of the pairs
changed_cases(…)             one page of the cases that differ
cases_of_one(…)              one page of the cases that the other run doesn't have
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    REAL,
    ColumnElement,
    Float,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    null,
    select,
    type_coerce,
)

from governance.kernel.data.db import session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.evaluations.models import RUN_CASES
from governance.operations.evaluations.statistics.paired import EXACT_CLUSTERS

FAILED = 1  # Outcome of a case that has no scores
LATENCY, COST = "latency_ms", "cost_per_request"
NOT_A_NUMBER = cast(literal("NaN"), REAL)


@dataclass(frozen=True, slots=True)
class PairedScore:
    """The places of one measure's scores in the cases of both runs: indices from 1."""

    key: str
    old: int
    new: int
    is_cost: bool = False  # The score may be in the case's cost.
    up_is_better: bool = True


@dataclass(frozen=True, slots=True)
class CaseOverlap:
    """Numbers of cases of two runs; each repetition counts as a case."""

    shared: int
    only_old: int
    only_new: int
    failed_old: int  # Shared cases that failed in the old run
    failed_new: int
    is_clustered: bool  # Cases share a source or are repeated.


@dataclass(frozen=True, slots=True)
class ScoreCounts:
    """Sums over the pairs of one measure. They are of the scores as the file has them."""

    pairs: int
    old_sum: float
    new_sum: float
    better: int
    worse: int
    change: float  # new minus old
    change_squares: float  # Sum over sources
    clusters: int
    net_squares: float
    nets: Sequence[int]
    sources: int  # Number of sources with a pair


def join_by_hash() -> None:
    """Disable nested loops in this transaction.

    Right after an import, statistics claim that a run has one case, and a nested loop over 50,000
    cases on each side would not end.
    """
    session().execute(select(func.set_config("enable_nestloop", "off", True)))


def overlap(old: UUID, new: UUID) -> CaseOverlap:
    """Count the cases of both runs. Runs one statement."""
    first, second = RUN_CASES.alias("old_case"), RUN_CASES.alias("new_case")
    left = select(first).where(first.c.run_id == old).subquery("old_cases")
    right = select(second).where(second.c.run_id == new).subquery("new_cases")
    both = left.c.case_digest.is_not(None) & right.c.case_digest.is_not(None)
    source = func.coalesce(func.nullif(right.c.source, ""), func.nullif(left.c.source, ""))
    joined = left.join(
        right,
        and_(left.c.case_digest == right.c.case_digest, left.c.repetition == right.c.repetition),
        full=True,
    )
    row = (
        session()
        .execute(
            select(
                func.count().filter(both).label("shared"),
                func.count().filter(right.c.case_digest.is_(None)).label("only_old"),
                func.count().filter(left.c.case_digest.is_(None)).label("only_new"),
                func.count().filter(both, left.c.outcome == FAILED).label("failed_old"),
                func.count().filter(both, right.c.outcome == FAILED).label("failed_new"),
                func.count(source).filter(both).label("with_source"),
                func.count(source.distinct()).filter(both).label("sources"),
                func.count().filter(both, right.c.repetition > 1).label("repeated"),
            ).select_from(joined)
        )
        .one()
    )
    return CaseOverlap(
        row.shared,
        row.only_old,
        row.only_new,
        row.failed_old,
        row.failed_new,
        bool(row.repeated) or row.sources < row.with_source,
    )


def _pairs(old: UUID, new: UUID) -> tuple[FromClause, FromClause, Select[Any]]:
    """Select the shared cases that failed in neither run."""
    first, second = RUN_CASES.alias("old_case"), RUN_CASES.alias("new_case")
    query: Select[Any] = (
        select()
        .select_from(
            first.join(
                second,
                and_(
                    first.c.tenant_id == second.c.tenant_id,
                    first.c.case_digest == second.c.case_digest,
                    first.c.repetition == second.c.repetition,
                ),
            )
        )
        .where(
            first.c.run_id == old,
            second.c.run_id == new,
            first.c.outcome != FAILED,
            second.c.outcome != FAILED,
        )
    )
    return first, second, query


def _score(table: FromClause, position: int, *, is_cost: bool) -> ColumnElement[float]:
    """Return a case's score, or NULL if it has none."""
    if not position:
        return table.c.cost if is_cost else cast(null(), REAL)
    score = func.nullif(table.c.scores[position], NOT_A_NUMBER)
    return func.coalesce(score, table.c.cost) if is_cost else score


def _source(first: FromClause, second: FromClause) -> ColumnElement[str]:
    """Return a case's source, which others may share, or its digest if it has none."""
    return func.coalesce(
        func.nullif(second.c.source, ""),
        func.nullif(first.c.source, ""),
        func.encode(second.c.case_digest, "hex"),
    ).label("source")


def measure_counts(
    old: UUID, new: UUID, scores: Sequence[PairedScore], *, is_clustered: bool
) -> Mapping[str, ScoreCounts]:
    """Sum up the pairs of each measure. Runs one statement."""
    if not scores:
        return {}
    first, second, query = _pairs(old, new)
    columns: list[ColumnElement[Any]] = [_source(first, second)] if is_clustered else []
    for n, each in enumerate(scores):
        columns += [
            cast(_score(first, each.old, is_cost=each.is_cost), Float).label(f"old_{n}"),
            cast(_score(second, each.new, is_cost=each.is_cost), Float).label(f"new_{n}"),
        ]
    # OFFSET keeps PostgreSQL from computing each score again for each of its sums.
    pairs = query.add_columns(*columns).offset(0).subquery("pairs")
    sums = _by_source(pairs, scores) if is_clustered else _by_case(pairs, scores)
    row = session().execute(sums).mappings().one()
    return {each.key: _counts(row, n, each) for n, each in enumerate(scores)}


def _whole(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(value, 0)


def _sums(pairs: Any, n: int) -> tuple[ColumnElement[Any], list[ColumnElement[Any]]]:
    """Return one measure's change in a pair (NULL if a score is missing), and its sums."""
    before, after = pairs.c[f"old_{n}"], pairs.c[f"new_{n}"]
    moved = after - before
    return moved, [
        func.count(moved).label(f"pairs_{n}"),
        _whole(func.sum(before).filter(after.is_not(None))).label(f"old_{n}"),
        _whole(func.sum(moved)).label(f"moved_{n}"),
        func.count().filter(moved > 0).label(f"up_{n}"),
        func.count().filter(moved < 0).label(f"down_{n}"),
    ]


def _by_case(pairs: Any, scores: Sequence[PairedScore]) -> Select[Any]:
    columns: list[ColumnElement[Any]] = []
    for n, _each in enumerate(scores):
        moved, sums = _sums(pairs, n)
        columns += [*sums, _whole(func.sum(moved * moved)).label(f"squares_{n}")]
    return select(*columns)


def _by_source(pairs: Any, scores: Sequence[PairedScore]) -> Select[Any]:
    inner = [column for n, _each in enumerate(scores) for column in _sums(pairs, n)[1]]
    sources = select(*inner).group_by(pairs.c.source).offset(0).subquery("sources")
    columns: list[ColumnElement[Any]] = []
    for n, _each in enumerate(scores):
        net = type_coerce(sources.c[f"up_{n}"] - sources.c[f"down_{n}"], Integer)
        moved = sources.c[f"moved_{n}"]
        count = func.count().filter(net != 0)
        columns += [
            *(
                _whole(func.sum(sources.c[f"{name}_{n}"])).label(f"{name}_{n}")
                for name in ("pairs", "old", "moved", "up", "down")
            ),
            _whole(func.sum(moved * moved)).label(f"squares_{n}"),
            count.label(f"clusters_{n}"),
            func.count().filter(sources.c[f"pairs_{n}"] > 0).label(f"sources_{n}"),
            _whole(func.sum(net * net)).label(f"nets_squared_{n}"),
            func.trim_array(
                func.array_agg(net).filter(net != 0),
                cast(func.greatest(count - EXACT_CLUSTERS, 0), Integer),
            ).label(f"nets_{n}"),
        ]
    return select(*columns)


def _counts(row: Mapping[Any, Any], n: int, score: PairedScore) -> ScoreCounts:
    up, down = int(row[f"up_{n}"]), int(row[f"down_{n}"])
    sign = 1 if score.up_is_better else -1
    old_sum, moved = float(row[f"old_{n}"]), float(row[f"moved_{n}"])
    return ScoreCounts(
        int(row[f"pairs_{n}"]),
        old_sum,
        old_sum + moved,
        up if score.up_is_better else down,
        down if score.up_is_better else up,
        moved,
        float(row[f"squares_{n}"]),
        int(row.get(f"clusters_{n}", 0)),
        float(row.get(f"nets_squared_{n}", up + down)),
        tuple(sign * net for net in row.get(f"nets_{n}") or ()),
        int(row.get(f"sources_{n}", 0)),
    )


def latencies(
    old: UUID, new: UUID, percents: Sequence[int]
) -> Mapping[int, tuple[float | None, float | None]]:
    """Return percentiles of both runs' latency in milliseconds, over the pairs that have both."""
    if not percents:
        return {}
    first, second, query = _pairs(old, new)
    query = query.where(first.c.latency_ms.is_not(None), second.c.latency_ms.is_not(None))
    for percent in percents:
        for name, table in (("old", first), ("new", second)):
            found = func.percentile_disc(percent / 100).within_group(table.c.latency_ms)
            query = query.add_columns(found.label(f"{name}_{percent}"))
    row = session().execute(query).mappings().one()
    return {each: (row[f"old_{each}"], row[f"new_{each}"]) for each in percents}


# ---- the cases


class ChangedCase(NamedTuple):
    """A pair whose score changed."""

    digest: str  # Hexadecimal digits
    repetition: int
    source: str
    old: float
    new: float


class LoneCase(NamedTuple):
    """A case of only one of the runs; `outcome` as in RUN_CASES."""

    digest: str
    repetition: int
    source: str
    outcome: int


def changed_cases(
    old: UUID,
    new: UUID,
    score: PairedScore,
    result: str,
    *,
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of the pairs whose score changed; `result` is changed, better or worse."""
    first, second, query = _pairs(old, new)
    before = _score(first, score.old, is_cost=score.is_cost)
    now = _score(second, score.new, is_cost=score.is_cost)
    rose = (result == "better") == score.up_is_better
    query = query.where(
        now != before if result == "changed" else (now > before if rose else now < before)
    )
    digest = _digest(second)
    found = keyset(
        query.add_columns(
            digest.label("digest"),
            second.c.repetition.label("repetition"),
            func.coalesce(func.nullif(second.c.source, ""), first.c.source).label("source"),
            before.label("old"),
            now.label("new"),
        ),
        digest,
        type_coerce(second.c.repetition, Integer),
        after=after,
        size=size,
    )
    return replace(found, rows=[ChangedCase(*row) for row in found.rows])


def cases_of_one(has: UUID, misses: UUID, *, after: str | None = None, size: int = 50) -> Keyset:
    """Return a page of the cases that only the first run has."""
    there, other = RUN_CASES.alias("there"), RUN_CASES.alias("other")
    digest = _digest(there)
    is_missing = ~(
        select(other.c.case_digest)
        .where(
            other.c.run_id == misses,
            other.c.case_digest == there.c.case_digest,
            other.c.repetition == there.c.repetition,
        )
        .exists()
    )
    found = keyset(
        select(
            digest.label("digest"),
            there.c.repetition.label("repetition"),
            there.c.source.label("source"),
            there.c.outcome.label("outcome"),
        ).where(there.c.run_id == has, is_missing),
        digest,
        type_coerce(there.c.repetition, Integer),
        after=after,
        size=size,
    )
    return replace(found, rows=[LoneCase(*row) for row in found.rows])


def changed_by_source(
    old: UUID, new: UUID, score: PairedScore, *, size: int = 8
) -> Sequence[tuple[str, int, int, int]]:
    """Return the sources with the most worse cases: name, cases, worse, better."""
    first, second, query = _pairs(old, new)
    before = _score(first, score.old, is_cost=score.is_cost)
    now = _score(second, score.new, is_cost=score.is_cost)
    source = func.coalesce(func.nullif(second.c.source, ""), func.nullif(first.c.source, ""))
    better, worse = (now > before, now < before)
    if not score.up_is_better:
        better, worse = worse, better
    broke, changed = func.count().filter(worse), func.count().filter(now != before)
    query = (
        query.add_columns(source, func.count(), broke, func.count().filter(better))
        .where(source.is_not(None))
        .group_by(source)
        .having(changed > 0)
        .order_by(broke.desc(), changed.desc(), source)
        .limit(size)
    )
    return [tuple(row) for row in session().execute(query)]


def _digest(table: FromClause) -> ColumnElement[str]:
    return type_coerce(func.encode(table.c.case_digest, "hex"), Text)
