"""Runs of garak and promptfoo, linked to a scenario, count as attempts."""

import json
import re
from datetime import timedelta

import pytest

from governance.assurance.red_teams import coverage
from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.actions import MeasureInput
from tests import make
from tests.assurance.red_teams.red_team_helpers import NOW, planned
from tests.operations.evaluations.evaluation_helpers import judged, system
from tests.operations.evaluations.files.evaluation_files import (
    garak_report,
    promptfoo_document,
    promptfoo_row,
)

MEASURE = MeasureInput(
    key="attacks-resisted",
    name="Attacks resisted",
    kind="rate",
    unit="share",
    at_least=True,
    limits={"baseline": 0.9, "standard": 0.9, "strict": 0.9, "regulated": 0.9},
    sources=("dan.Dan.dan.DAN", "success"),  # Named as garak and promptfoo name them.
)
GARAK = "".join(f"{json.dumps(each)}\n" for each in garak_report()).encode()
PROMPTFOO = promptfoo_document([promptfoo_row(n, success=n != 2) for n in range(5)])


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        suite = suite_actions.create(
            key="claims-grounding", name="Attacks", purpose="It resists attacks.", pack="support"
        )
        draft = queries.versions(suite.id)[0]
        suite_actions.set_measures(draft, [MEASURE])
        suite_actions.publish(draft, suite)
        system()
    with clock.frozen(NOW):
        yield


@pytest.mark.parametrize(
    ("content", "tool", "held", "broke"),
    [(GARAK, "garak", 1, 1), (PROMPTFOO, "promptfoo", 4, 1)],
    ids=["garak", "promptfoo"],
)
def test_an_imported_run_counts_as_attempts_of_the_scenario_it_is_linked_to(
    as_contributor, content, tool, held, broke
):
    judged(content)
    red_team_id, scenario_id, _other = planned()
    path = f"red-teams/{red_team_id}"
    form = as_contributor.get(f"{path}/runs/new").text
    assert tool in form
    run = re.search(r'value="([0-9a-f-]+ attacks-resisted)"', form)[1]
    as_contributor.post(f"{path}/runs/new", then=303, scenario_id=str(scenario_id), run=run)
    text = as_contributor.get(path).text
    assert f"{held} held · {broke} broke" in text and tool in text
    assert "Never tried: Hidden text" in text
    with make.acting("admin"):
        tried = {each.risk: each.tried.total for each in coverage.covered((red_team_id,))}
    assert tried == {"LLM01:2026": held + broke, "AML.T0051.001": 0}
