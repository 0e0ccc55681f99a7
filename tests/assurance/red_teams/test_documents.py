"""Finished red teams in the documents of their AI system: date and number of findings."""

from datetime import timedelta

import pytest

from governance.assurance.red_teams import actions, documents, queries
from governance.kernel import clock
from governance.kernel.formatting import long_day
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.red_teams.red_team_helpers import (
    NOW,
    OLD,
    attempted,
    finished,
    planned,
    reported,
    step,
)
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.publishing.system_documents.document_helpers import FILE


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


def told(role="viewer"):
    """Return (text, source) of the facts for documents, and the day as they write it."""
    with make.acting(role, read_only=True):
        every = list(documents.points_of(register.system("claims-triage").id))
        assert all(each.points == ("2.g", "2.h") and not each.endpoint for each in every)
        return [(each.text, each.source) for each in every], long_day(clock.now())


def test_a_red_team_is_told_once_it_has_finished_with_its_counts_alone():
    red_team_id, scenario_id, _other = planned()
    finding_id = reported(red_team_id, attempted(red_team_id, scenario_id))
    assert told()[0] == []
    finished()
    every, day = told()
    ended = f"A red team attacked release {OLD} and finished on {day}."
    assert every == [(f"{ended} It reported no finding.", "Red team RT-2")]
    with make.acting("compliance_officer"):
        actions.finish(queries.red_team(red_team_id), summary="One way in.")
    says = "It reported 1 finding: 1 is open."
    assert told()[0][1:] == [(f"{ended} {says}", "Red team RT-1")]
    step(finding_id, "reject")
    assert told("admin")[0][1:] == [
        (f"{ended} It reported 1 finding: none is open.", "Red team RT-1")
    ]


def test_every_reader_of_the_technical_file_reads_the_sentence_without_a_link(
    as_officer, as_viewer
):
    finished()
    page = as_officer.post(FILE).location
    for reader in (as_officer, as_viewer):
        shown = reader.get(page)
        assert "It reported no finding." in main_text(shown) and "Red team RT-1" in main_text(shown)
        assert "/red-teams/" not in shown.text.partition("<main")[2]
