"""Results of one case in the newest run of a release, which prove that a fix works.

newest_results(system_id, version_id, digest, releases)    by release; one statement
passes(measure, scores)                                    whether a case passes a measure
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.kernel.data.db import session
from governance.operations.evaluations.models import RUN_CASES, EvaluationRun, SuiteMeasure

SCORED = 0  # Outcome of a case that has scores


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case in a run: its scores by each measure's place, one row per repetition.

    A repetition that failed or has no score is None.
    """

    run: EvaluationRun
    repetitions: Sequence[Sequence[float] | None]


def newest_results(
    system_id: UUID, version_id: UUID, digest: bytes, releases: Collection[str]
) -> Mapping[str, CaseResult]:
    """Return the case in the newest completed run of each release that has it."""
    r, case = EvaluationRun, RUN_CASES
    place = func.row_number().over(
        partition_by=r.release, order_by=(r.ran_at.desc().nulls_last(), r.number.desc())
    )
    newest = (
        select(r.id, place.label("place"))
        .where(
            r.system_id == system_id,
            r.version_id == version_id,
            r.release.in_(list(releases)),
            r.state == "judged",
            r.outcome == "completed",
            select(case.c.run_id)
            .where(case.c.run_id == r.id, case.c.case_digest == digest)
            .exists(),
        )
        .subquery()
    )
    query = (
        select(r, case.c.outcome, case.c.scores)
        .join(newest, newest.c.id == r.id)
        .join(case, (case.c.run_id == r.id) & (case.c.case_digest == digest))
        .where(newest.c.place == 1)
        .order_by(r.number, case.c.repetition)
    )
    found: dict[str, tuple[EvaluationRun, list[Any]]] = {}
    for run, outcome, scores in session().execute(query):
        kept = found.setdefault(run.release, (run, []))
        kept[1].append(scores if outcome == SCORED else None)
    return {release: CaseResult(*each) for release, each in found.items()}


def place_of(measures: Sequence[SuiteMeasure], key: str) -> tuple[int, SuiteMeasure] | None:
    """Return the place of a measure's scores in a version, and the measure; None without scores.

    `measures` are all measures of the version, in order.
    """
    return next(((n, each) for n, each in enumerate(measures) if each.key == key), None)


def passes(measure: SuiteMeasure, place: int, result: CaseResult) -> bool | None:
    """Return True if every repetition passes; None if one of them wasn't judged.

    One failed repetition is enough to fail: an attack that works sometimes is an attack that works.
    """
    is_up = measure.at_least != measure.is_inverted
    judged = [_passes(each, place, is_up=is_up) for each in result.repetitions]
    if False in judged:
        return False
    return None if None in judged else True


def _passes(scores: Sequence[float] | None, place: int, *, is_up: bool) -> bool | None:
    if scores is None or place >= len(scores):
        return None
    score = scores[place]
    if score is None or score != score:  # noqa: PLR0124 - NaN: none was given
        return None
    return score >= 1 if is_up else score <= 0
