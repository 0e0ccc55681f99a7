"""Acme's quarterly assessments: last quarter's is closed, this quarter's is nearly done."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    board_queries,
    conclusion_actions,
    item_actions,
)
from governance.assurance.frameworks import queries as frameworks
from governance.demo.cast import Cast, days_ago
from governance.demo.story import StoryEvent
from governance.kernel.data.ids import uuid7

CONCLUDED = 1  # days ago, in the morning, when the open assessment was concluded
CLOSED_AFTER = 8  # days after the end of the quarter; until then the assessment is open
TARGET_FOUR = {
    "GOVERN 1.4",
    "GOVERN 1.6",
    "GOVERN 2.1",
    "MEASURE 2.7",
    "MEASURE 2.6",
    "MANAGE 2.4",
    "MANAGE 4.3",
}


@dataclass(slots=True)
class AssessmentStory:
    """An assessment of the story: its id once it is started, and the levels that Jun used."""

    chance: random.Random
    open_one: bool
    id: UUID = field(default_factory=uuid7)  # placeholder until it is started
    levels: dict[str, int] = field(default_factory=dict)


def assessment_events(cast: Cast, chance: random.Random) -> Iterator[StoryEvent]:
    """Yield last quarter's assessment, closed and frozen, and this quarter's, nearly done.

    Two items block this quarter's assessment.
    """
    ends = _quarter_ends(days_ago(CLOSED_AFTER + 1))
    for end in ends:
        told = AssessmentStory(chance, open_one=end == ends[-1])
        concluded = days_ago(CONCLUDED) if told.open_one else end + timedelta(days=2)
        begun = days_ago(50) if told.open_one else end - timedelta(days=20)
        yield StoryEvent(begun, "jun", partial(_start, told, end))
        if told.open_one:
            yield StoryEvent(days_ago(6), "officer", partial(_assign_gaps, cast, told))
        yield StoryEvent(concluded, "jun", partial(_conclude, told), 9)
        yield StoryEvent(
            min(concluded + timedelta(days=1), days_ago(0)), "officer", partial(_sign, told), 16
        )
        if not told.open_one:
            yield StoryEvent(
                end + timedelta(days=CLOSED_AFTER), "officer", partial(_close, told), 17
            )


def _start(told: AssessmentStory, end: date) -> None:
    framework = frameworks.framework("nist-ai-rmf-1.0")
    title = f"Q{(end.month + 2) // 3} {end.year}"
    told.id = assessment_actions.start_assessment(
        framework.id,
        title=title,
        period_from=end - timedelta(days=364),
        period_to=end,
        scope="organisation",
        targets=None,
    ).id
    _set_targets(told.id)


def _close(told: AssessmentStory) -> None:
    assessment_actions.close_assessment(assessment_queries.assessment(told.id), accept_open=True)


def _quarter_ends(today: date) -> list[date]:
    """Return the end of the quarter before the day's quarter, and the end of the day's own."""
    quarter = (today.month - 1) // 3
    # the fourth quarter
    this = date(today.year + (quarter == 3), (quarter * 3 + 3) % 12 + 1, 1) - timedelta(days=1)  # noqa: PLR2004
    return [date(today.year, quarter * 3 + 1, 1) - timedelta(days=1), this]


def _set_targets(assessment_id: UUID) -> None:
    rows = assessment_queries.item_rows(assessment_id)
    for item in assessment_queries.items(assessment_id):
        if item.ref in TARGET_FOUR:
            item_actions.set_target(rows[item.row.id], 4, version=item.row.version)


def _conclude(told: AssessmentStory) -> None:
    """Write Jun's conclusions, except for two items of the open assessment."""
    held = assessment_queries.assessment(told.id)
    board = board_queries.board(frameworks.framework_by_id(held.framework_id), of_assessment=held)
    told.levels = {row.ref: row.derived.level for row in board.rows}
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        if told.open_one and item.ref in {"MAP 3.4", "MEASURE 3.2"}:
            continue
        level = told.levels[item.ref]
        conclusion_actions.conclude(
            rows[item.row.id],
            level=level,
            rationale=_rationale(told.chance, item.ref, level),
            version=item.row.version,
        )


def _sign(told: AssessmentStory) -> None:
    """Sign the conclusions as Ines, except for two items of the open assessment."""
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        waits = told.open_one and item.ref in {"MANAGE 2.4", "GOVERN 4.3"}
        # a maturity level
        if item.conclusion is not None and not waits and told.levels[item.ref] >= 2:  # noqa: PLR2004
            conclusion_actions.sign_off(rows[item.row.id], revision=item.conclusion.revision)


GAP_OWNERS = {
    "MEASURE 2.7": ("anna", -9),
    "MANAGE 1.1": ("jun", -19),
    "MAP 3.4": ("anna", 2),
    "MEASURE 2.11": ("jun", -16),
    "MEASURE 2.8": ("jun", -12),
    "MEASURE 2.9": ("jun", -12),
    "MEASURE 1.3": ("officer", -6),
    "MEASURE 4.2": ("officer", -6),
    "MEASURE 3.2": ("jun", -23),
    "MEASURE 1.1": ("jun", -23),
    "GOVERN 6.1": ("admin", -9),
    "MAP 4.1": ("admin", -9),
    "MAP 4.2": ("admin", -9),
    "MEASURE 4.3": ("jun", -16),
    "MANAGE 4.3": ("anna", -36),
    "MEASURE 2.6": ("anna", -36),
}


def _assign_gaps(cast: Cast, told: AssessmentStory) -> None:
    """Assign an owner and a due date to each gap."""
    rows = assessment_queries.item_rows(told.id)
    for item in assessment_queries.items(told.id):
        if item.ref in GAP_OWNERS:
            part, days = GAP_OWNERS[item.ref]
            item_actions.assign(rows[item.row.id], cast.id(part), days_ago(days))


RATIONALES = {
    0: ("No accepted evidence supports it yet.",),
    1: (
        (
            "The practice exists, but its evidence is overdue or a test failed. It isn't reliable"
            " until that is fixed."
        ),
    ),
    2: ("The practice is in place for all three systems. Its evidence is not complete.",),
    3: (
        "Proven at a point in time. Operation over the whole period isn't shown yet.",
        "I reviewed the evidence; it supports the owner's statement.",
    ),
    4: ("It worked throughout the period: the samples passed and the evidence has no long gap.",),
}


def _rationale(chance: random.Random, ref: str, level: int) -> str:
    if ref == "MEASURE 2.7":
        return (
            "Security testing is well designed and runs for two of three systems. Because the"
            " penetration test report is overdue and claims-triage was released without red-team"
            " sign-off, I can't conclude that it worked throughout the period."
        )
    return chance.choice(RATIONALES[level])
