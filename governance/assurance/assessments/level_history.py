"""Levels and coverage at other moments, derived from the data that the board has read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from governance.assurance.assessments.coverage import (
    MappedControl,
    RequirementLevel,
    Share,
    coverage,
    derive_level,
    explain_fall,
    level_of,
)
from governance.assurance.assessments.framework_board import (
    YEAR_BEFORE,
    AssessedRequirement,
    FrameworkBoard,
)
from governance.assurance.controls import control_ledger
from governance.assurance.controls.control_ledger import Ledger
from governance.assurance.controls.status import CurrentStatus, current_status, status
from governance.assurance.evidence.freshness import DUE_SOON_DAYS, Version, max_age_days
from governance.kernel import formatting


def shares_at(
    board: FrameworkBoard, moments: Sequence[datetime], period: tuple[date, date] | None = None
) -> list[dict[str, Share]]:
    """Return for each moment the coverage of each function and of `all`, against current targets.

    Levels are judged over `period`, or over the year up to each moment.
    """
    targets = {row.requirement.id: (row.ref, row.target, row.function) for row in board.rows}
    found = []
    for at in moments:
        levels = levels_at(board.ledger, at, period or (at.date() - YEAR_BEFORE, at.date()))
        requirements = [
            RequirementLevel(ref, levels.get(i, 0), target, function)
            for i, (ref, target, function) in targets.items()
        ]
        each = {
            f.ref: coverage(s for s in requirements if s.function == f.ref) for f in board.functions
        }
        found.append(each | {"all": coverage(requirements)})
    return found


def with_history(board: FrameworkBoard, moments: Iterable[datetime]) -> list[datetime]:
    """Return the moments since the first evidence was uploaded.

    Before that every level is 0 for lack of records, so nothing is compared with it.
    """
    first = board.ledger.first_evidence
    return [] if first is None else [at for at in moments if at >= first]


def levels_at(ledger: Ledger, at: datetime, period: tuple[date, date]) -> Mapping[UUID, int]:
    """Return the level of each requirement that has a mapped control."""

    def levels() -> Mapping[UUID, int]:
        answers: dict[UUID, list[tuple[str, CurrentStatus]]] = {}
        for control in ledger.at(at):
            judged = current_status(
                control, today=at.date(), period_from=period[0], period_to=period[1]
            )
            for requirement_id, how_far in control.mappings:
                answers.setdefault(requirement_id, []).append((how_far, judged))
        return MappingProxyType(
            {requirement_id: level_of(each) for requirement_id, each in answers.items()}
        )

    return ledger.derived.get(("levels", at.date(), ledger.since(at), period), levels)


@dataclass(frozen=True, slots=True)
class LevelTransition:
    """A level change at a moment. `because` explains a fall; it is "" for a rise."""

    at: datetime
    before: int
    after: int
    reason: str


def level_transitions(
    board: FrameworkBoard, row: AssessedRequirement, since: datetime
) -> Sequence[LevelTransition]:
    """Return when the level rose or fell since then, oldest first.

    The result is cached for the day, while nothing changes.
    """
    ledger, requirement_id = board.ledger, row.requirement.id
    day = board.as_of.date()
    key = "transitions", requirement_id, day, ledger.since(board.as_of), since, board.period
    with formatting.as_tenant():  # Every reader gets the cached text.
        return ledger.derived.get(key, lambda: _transitions(board, requirement_id, since))


def _transitions(
    board: FrameworkBoard, requirement_id: UUID, since: datetime
) -> tuple[LevelTransition, ...]:
    """Return the transitions, judging each control at each moment that could change its status."""
    parts = [
        _ledger_of(board.ledger, control)
        for control in board.ledger.controls
        if _was_ever_mapped(control, requirement_id)
    ]
    touched: dict[datetime, list[int]] = {since: list(range(len(parts)))}
    for number, part in enumerate(parts):
        for at in {each for each in _moments_of_change(part) if since < each <= board.as_of}:
            touched.setdefault(at, []).append(number)
    answers: dict[int, MappedControl | None] = {}
    found: list[LevelTransition] = []
    level = 0
    for at in sorted(touched):
        answers.update(
            {
                number: _mapped_control_at(parts[number], requirement_id, at, board)
                for number in touched[at]
            }
        )
        after = level_of((each[1], each[2]) for each in answers.values() if each is not None)
        if at > since and after != level:
            found.append(
                LevelTransition(
                    at, level, after, _why_fell(answers.values()) if after < level else ""
                )
            )
        level = after
    return tuple(found)


def _why_fell(answers: Iterable[MappedControl | None]) -> str:
    return explain_fall(derive_level([each for each in answers if each is not None]))


def _was_ever_mapped(control: Any, requirement_id: UUID) -> bool:
    return any(mapping[0] == requirement_id for mapping in control.mappings)


def _ledger_of(ledger: Ledger, control: Any) -> Ledger:
    """Return a ledger of one control with its evidence."""
    pieces = {link[0] for link in control.links}
    return Ledger([control], {i: ledger.pieces[i] for i in pieces if i in ledger.pieces})


def _moments_of_change(part: Ledger) -> Iterator[datetime]:
    """Yield each moment at which the status could have changed.

    These are the moments of records, and the days on which evidence expired.
    """
    for control in part.controls:
        stamps = (
            [s for m in control.mappings for s in m[2:4]]
            + [s for link in control.links for s in link[1:3]]
            + [t[0] for t in control.tests or ()]
        )
        stamps += control_ledger.runtime_stamps(control)
        yield from (
            datetime.fromtimestamp(float(stamp), UTC) for stamp in stamps if stamp is not None
        )
        yield from (each for each in (control.created_at, control.retired_at) if each is not None)
    for piece in part.pieces.values():
        yield from (each for each in (piece.known, piece.retired) if each is not None)
        for arrival in piece.versions:
            yield from (each for each in (arrival.known, arrival.judged) if each is not None)
            yield from (
                datetime.combine(day, time(), UTC)
                for day in _expiry_days(arrival.after, max_age_days(piece.cadence))
            )
        if not piece.versions and piece.due_on is not None:
            yield datetime.combine(piece.due_on + timedelta(days=1), time(), UTC)


def _expiry_days(version: Version, allowed: int | None) -> Iterator[date]:
    """Yield the days on which a version may fall due or expire."""
    yield version.valid_until + timedelta(days=1)
    yield version.valid_until - timedelta(days=DUE_SOON_DAYS)
    if allowed is not None:
        yield version.collected_on + timedelta(days=allowed + 1)
        yield version.valid_until - timedelta(days=allowed // 2)


def _mapped_control_at(
    part: Ledger, requirement_id: UUID, at: datetime, board: FrameworkBoard
) -> MappedControl | None:
    """Return the control of `part` with its coverage and status, if it was mapped at that moment."""
    since, until = (
        board.period if board.period[0] <= at.date() else (at.date() - YEAR_BEFORE, at.date())
    )
    for control in part.at(at):
        how_far = dict(control.mappings).get(requirement_id)
        if how_far is not None:
            return (
                control,
                how_far,
                status(control, today=at.date(), period_from=since, period_to=until),
            )
    return None


def month_ends(until: datetime, count: int = 12) -> list[datetime]:
    """Return the ends of the `count` months before `until`, then `until` itself."""
    first, ends = until.date().replace(day=1), []
    for _ in range(count):
        ends.append(datetime.combine(first - timedelta(days=1), time(23, 59, 59), UTC))
        first = (first - timedelta(days=1)).replace(day=1)
    return [*reversed(ends), until]
