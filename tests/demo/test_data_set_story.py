"""The demo's data sets: four, one whose consent ends in ten days and one that is stale."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from governance.demo import data_set_story
from governance.kernel import clock
from governance.operations.datasets import queries
from governance.operations.systems import queries as systems
from tests import make
from tests.operations.datasets import data_set_helpers as helpers


class People:
    """The people of the tests, by their part in the story."""

    def id(self, part):
        return make.person_id({"jun": "contributor", "anna": "admin"}[part])


@dataclass
class Setting:
    now: datetime
    acme: People

    def acting(self, part):
        return make.acting({"officer": "compliance_officer", "jun": "contributor"}[part])


@pytest.fixture
def story(database):
    for key in ("claims-triage", "support-assistant"):
        helpers.register_system(key)
    steps = data_set_story.steps(Setting(clock.now(), People()))
    for step in sorted(steps, key=lambda each: each.at):
        step.play()


def test_the_demo_has_a_stale_data_set_and_one_whose_consent_ends_in_ten_days(story):
    with make.acting("viewer"):
        rows = queries.data_sets({}).rows
        assert {(row.data_set.key, row.data_set.version, row.state) for row in rows} == {
            ("claims-2025", 2, "usable"),
            ("support-transcripts", 1, "consent_soon"),
            ("policy-wordings", 2, "stale"),
            ("grounding-cases", 1, "usable"),
        }
        ending = next(row for row in rows if row.state == "consent_soon")
        assert (ending.facts.consent_until - clock.today()).days == 10
        triage = systems.system("claims-triage")
        assert [each.key for each in queries.blocking(triage.id)] == ["policy-wordings"]
        assert [row.data_set.key for row in rows if row.data_set.draft] == ["policy-wordings"]
