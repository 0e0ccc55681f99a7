"""The heat map, the requirement list and a requirement, today and on a past day."""

import csv
import io
from datetime import UTC, date, datetime, timedelta

import pytest

from governance.assurance.assessments import (
    board_queries,
    level_history,
)
from governance.assurance.controls import actions as controls
from governance.assurance.controls import mapping_actions
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import queries as pieces
from governance.assurance.evidence import version_actions
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from tests.assurance.assessments.assessment_helpers import KEY, PAGE, conclude
from tests.assurance.frameworks.framework_files import main_text


def test_the_heat_map_says_its_conclusion(as_officer, as_viewer, open_assessment):
    page = main_text(as_viewer.get(PAGE))
    assert "0 of 72 subcategories proven, 0% coverage." in page
    assert "MEASURE 2.7 Security and resilience" in page and "0 Not addressed, target 3" in page
    assert "72 gaps, largest gain first" in page
    assert "Select" not in as_viewer.get(PAGE).text and 'name="ids"' in as_officer.get(PAGE).text


def test_without_an_assessment_the_map_stands_and_offers_to_begin_one(as_officer, as_viewer):
    assert "Start assessment" in main_text(as_officer.get(PAGE))
    assert "Start assessment" not in main_text(as_viewer.get(PAGE))
    assert "No assessment is open" in main_text(as_viewer.get(f"{PAGE}/MEASURE-2.7"))
    assert "No assessments yet" in main_text(as_viewer.get("assessments/"))


@pytest.mark.parametrize("key", ["nist-ai-600-1", "owasp-llm-2025", "soc2-tsc-2017"])
def test_every_framework_has_its_map(as_viewer, acting, key):
    as_viewer.get(f"frameworks/{key}")
    as_viewer.get(f"frameworks/{key}/requirements")
    with acting("viewer", read_only=True):
        node = next(
            each
            for each in frameworks.requirements(frameworks.framework(key).id)
            if each.assessable
        )
    as_viewer.get(f"frameworks/{key}/{node.path}")


def test_a_branch_leads_to_its_requirements(as_viewer):
    reply = as_viewer.get(f"{PAGE}/MEASURE-2", then=302)
    assert "13 of 13" in main_text(as_viewer.get(reply.location))


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=security", None),
        ("level=0", 72),
        ("level=2", 0),
        ("state=proven", 0),
        ("state=unproven", 72),
        ("under=MEASURE", 22),
        ("under=GOVERN 1", 7),
        ("owner=Anna Rossi", 1),
        ("owner=nobody", 71),
        ("state=below", 72),
        ("state=red", 71),
        ("state=open", 72),
        ("state=nonsense", 0),
        ("level=nine", 0),
        ("level=0&state=below&q=resilience", 1),
    ],
)
def test_filters_leave_what_they_say_on_the_page_and_in_the_file(
    as_viewer, open_assessment, query, count
):
    as_viewer.get(f"{PAGE}/requirements?{query}")
    rows = list(
        csv.reader(
            io.StringIO(as_viewer.get(f"{PAGE}/requirements.csv?{query}").data.decode("utf-8-sig"))
        )
    )[1:]
    assert count is None or len(rows) == count
    as_viewer.get(f"{PAGE}?{query}")


def test_the_list_sorts_and_refuses_what_it_cannot_sort_by(as_viewer, open_assessment):
    for sort in ("ref", "-ref", "level", "-level", "target", "owner", "-moves"):
        as_viewer.get(f"{PAGE}/requirements?sort={sort}")
    as_viewer.get(f"{PAGE}/requirements?sort=password", then=422)
    as_viewer.get(f"{PAGE}/requirements.xlsx?sort=-level")


def test_the_peek_selects(as_viewer, open_assessment):
    assert "MAP 1.1" in main_text(as_viewer.get(f"{PAGE}?sel=MAP-1.1"))
    as_viewer.get(f"{PAGE}?sel=nothing")


def test_the_overview_can_lead_to_each_function_of_the_map(as_viewer, open_assessment):
    page = as_viewer.get(PAGE).text
    assert all(
        f'class="c-heat-row" id="{function}"' in page
        for function in ("GOVERN", "MAP", "MEASURE", "MANAGE")
    )


def test_the_map_and_the_overview_tell_the_same_change(acting, open_assessment):
    with acting("viewer", read_only=True):
        shown = board_queries.board(frameworks.framework(KEY))
        (now,) = level_history.shares_at(shown, [shown.as_of], shown.period)
        assert all(now[f.ref].percent == shown.share_of(f.ref).percent for f in shown.functions)


def test_evidence_is_attached_where_it_is_missing(as_officer, acting, open_assessment):
    with acting("compliance_officer"):
        requirement = frameworks.requirement(KEY, "MEASURE-2.7")
        control = controls.create(
            "AAA-01",
            ControlContent(
                title="Drill",
                does="Somebody tries it.",
                kind="detective",
                automation="manual",
                cadence="yearly",
            ),
            owner_id=None,
        )
        mapping_actions.map_to(control, requirement.id, "partial")
        late = evidence.create_item(
            "Drill report",
            kind="report",
            cadence="quarterly",
            owner_id=None,
            due_on=date(2020, 1, 1),
            controls={control.id: ""},
        ).id
    assert f"evidence/{late}/versions/new" in as_officer.get(f"{PAGE}/MEASURE-2.7").text


def test_a_past_day_shows_what_was_known_then(as_officer, acting, open_assessment, measured_item):
    """Show yesterday without the control that was mapped today."""
    conclude(as_officer, measured_item)
    yesterday = (clock.today() - timedelta(days=1)).isoformat()
    page = as_officer.get(f"{PAGE}/MEASURE-2.7?as_of={yesterday}")
    text = main_text(page)
    assert (
        "0 Not addressed" in text
        and "No mapped controls" in text
        and "It is designed well" not in text
    )
    assert "As of" in page.text and "change anything here" in page.text
    assert "assessments/items/" not in page.text
    for path in (PAGE, f"{PAGE}/requirements"):
        assert "change anything here" in as_officer.get(f"{path}?as_of={yesterday}").text
        assert 'name="ids"' not in as_officer.get(f"{path}?as_of={yesterday}").text
    assert "change anything here" not in as_officer.get(f"{PAGE}?as_of={clock.today()}").text


@pytest.mark.parametrize(
    "day", ["2031-01-01", "yesterday", "2026-13-01", "0000-00-00", "٢٠٢٦-01-01"]
)
def test_a_day_that_cannot_be_shown_is_named(as_viewer, day):
    as_viewer.get(f"{PAGE}?as_of={day}", then=422)


def test_levels_rise_and_fall_as_the_evidence_does(acting, open_assessment):
    """Keep the level while evidence is only due, and lower it the day after the deadline.

    The evidence counts from March to June.
    """
    with clock.frozen(datetime(2026, 3, 1, 9, tzinfo=UTC)), acting("compliance_officer"):
        framework = frameworks.framework(KEY)
        control = controls.create(
            "SEC-05",
            ControlContent(
                title="Attack suite",
                does="It runs.",
                kind="detective",
                automation="automated",
                cadence="quarterly",
            ),
        )
        mapping_actions.map_to(control, frameworks.requirement(KEY, "MAP-1.1").id, "full")
        piece = evidence.create_item(
            "Suite results",
            kind="report",
            cadence="quarterly",
            owner_id=None,
            due_on=None,
            controls={control.id: ""},
        )
        days = {
            "collected_on": date(2026, 3, 1),
            "period_from": date(2026, 1, 1),
            "period_to": date(2026, 3, 1),
            "valid_until": date(2026, 6, 1),
        }
        version_id = version_actions.link_version(
            piece, "https://files.acme.example/suite", **days
        ).id
    with clock.frozen(datetime(2026, 3, 2, 9, tzinfo=UTC)), acting("reviewer"):
        version_actions.accept(*pieces.find_version(version_id, lock=True))
    with acting("compliance_officer", read_only=True):
        shown = board_queries.board(framework)
        moved = level_history.level_transitions(
            shown, shown.row("MAP 1.1"), datetime(2026, 1, 1, tzinfo=UTC)
        )
        assert [(each.at.date().isoformat(), each.before, each.after) for each in moved] == [
            ("2026-03-02", 0, 3),
            ("2026-06-02", 3, 1),
        ]
        for at, level in (
            (date(2026, 2, 1), 0),
            (date(2026, 4, 1), 3),
            (date(2026, 5, 25), 3),
            (date(2026, 7, 1), 1),
        ):
            then = board_queries.board(
                framework, datetime(at.year, at.month, at.day, 23, tzinfo=UTC)
            )
            assert then.row("MAP 1.1").derived.level == level, at
        months = level_history.shares_at(shown, level_history.month_ends(shown.as_of))
        assert len(months) == 13 and {"GOVERN", "all"} <= months[0].keys()
