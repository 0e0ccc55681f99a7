"""The words of the overview, without a database."""

from datetime import UTC, date, datetime

import pytest

from governance.assurance.assessments.coverage import RequirementLevel, coverage
from governance.publishing.overview import sentences
from governance.publishing.overview.first_steps import SetupStep
from governance.publishing.overview.queries import (
    CoverageAt,
    CoverageMovement,
    ReportReadiness,
    ReportState,
)


@pytest.mark.parametrize(
    ("points", "words"),
    [(1.34, "+1.3"), (-1.06, "\N{MINUS SIGN}1.1"), (0, "0.0"), (-0.04, "0.0"), (0.06, "+0.1")],
)
def test_a_change_has_a_sign_and_nothing_has_none(points, words):
    assert sentences.signed(points) == words


def point(month: int, *levels: int) -> CoverageAt:
    share = coverage(RequirementLevel(f"MAP 1.{n}", level, 3) for n, level in enumerate(levels))
    return CoverageAt(datetime(2026, month, 28, tzinfo=UTC), {"all": share})


class Position:
    """A board without an assessment, at these levels of the function Map."""

    assessment = None

    def __init__(self, levels):
        self.share = coverage(
            RequirementLevel(f"MAP 1.{n}", level, 3) for n, level in enumerate(levels)
        )


NOTHING = ReportReadiness((), (), (), 0, 0)


def test_quarters_are_compared_with_the_first():
    assert (
        sentences.quarters_title([point(1, 0, 3), point(11, 3, 4)])
        == "2 of 2 requirements proven, 1 more than 10 months ago"
    )
    assert (
        sentences.quarters_title([point(10, 3, 3), point(11, 3, 1)])
        == "1 of 2 requirements proven, 1 fewer than 1 month ago"
    )
    then = sentences.quarters_title([point(1, 3, 3), point(11, 3, 3)], then=True)
    assert then == "2 of 2 requirements proven, the same as 10 months earlier"


@pytest.mark.parametrize(
    ("proven", "words"),
    [
        (-2, ", 2 fewer than 30 days ago"),
        (1, ", 1 more than 30 days ago"),
        (0, ", the same as 30 days ago"),
    ],
)
def test_what_is_proven_is_compared_with_thirty_days_ago(proven, words):
    moved = CoverageMovement(date(2026, 10, 26), {"all": 0.0}, proven, (), ())
    assert (
        sentences.headline(Position([3, 0]), moved, 0, NOTHING)
        == f"1 of 2 requirements proven{words}. 50% coverage."
    )


def test_without_a_history_nothing_is_compared():
    assert (
        sentences.headline(Position([0, 0]), None, 2, NOTHING)
        == "0 of 2 requirements proven. 0% coverage. 2 items need you."
    )
    assert sentences.changed_title(None) == "Recent activity"
    assert sentences.functions_title(Position([0, 0]), None) == "No evidence yet"
    assert sentences.quarters_title([point(11, 0, 0)]) == "0 of 2 requirements proven"


def test_a_new_tenant_reads_its_position_and_the_next_step():
    steps = [SetupStep(n < 1, f"Step {n}", "", "", "", "") for n in range(4)]
    assert (
        sentences.headline_new(Position([0, 0]), steps)
        == "0 of 2 requirements proven, 0% coverage. Next step: step 1"
    )
    unadopted = [SetupStep(False, "Adopt a framework", "", "", "", "")]
    assert sentences.headline_new(Position([0, 0]), unadopted) == "Next step: adopt a framework"


def test_what_is_well_is_said_too():
    lines = list(
        sentences.report_lines(
            ReportReadiness((), (), (), 72, 72), ReportState(None, None), date(2026, 11, 25)
        )
    )
    assert [(line.kind, line.text) for line in lines] == [
        ("ok", "72 of 72 conclusions signed off"),
        ("none", "No report yet"),
    ]


def test_moves_are_counted_in_words():
    still = CoverageMovement(date(2026, 10, 26), {}, 0, (), ())
    assert sentences.changed_title(still) == "No level changed in 30 days"
    assert sentences.listed(["Govern", "Map", "Measure"]) == "Govern, Map and Measure"
