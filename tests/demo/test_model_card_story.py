"""The demo's model cards: a repaired search has one, claims-triage can't have one yet."""

from datetime import timedelta

import pytest

from governance.demo import lookup_repair_story, model_card_story, register_story, stops_and_drills
from governance.kernel import clock
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.model_cards import card, queries, record
from tests import make
from tests.assurance.incidents import incident_helpers
from tests.assurance.red_teams import red_team_helpers
from tests.demo.story_parts import NOW, Parts
from tests.operations.switches import switch_helpers

pytestmark = pytest.mark.slow


def _play(steps) -> None:
    for step in steps:
        step.play()


def _drill() -> None:
    """Run the third drill of that day."""
    system, feature = stops_and_drills.DRILLS[-1]
    stops_and_drills.tell_drill(
        make.actor("compliance_officer"),
        make.actor("admin"),
        make.system_actor("acme"),
        at=NOW - timedelta(days=6),
        key_id=switch_helpers.create_api_key(),
        feature=feature,
        system=system,
    )


def test_the_card_of_the_repaired_search_is_published_and_that_of_claims_triage_is_refused(
    app, isolated, client
):
    with clock.frozen(NOW - timedelta(days=100)), make.acting("admin"):
        for key, facts in (("policy-lookup", register_story.POLICY_LOOKUP), ("claims-triage", {})):
            systems.register(
                key=key,
                stage="live",
                name=key,
                lane="standard",
                purpose="x",
                owner_id=None,
                facts=facts,
            )
    with clock.frozen(NOW - timedelta(days=20)):
        red_team_helpers.finished("policy-lookup")
    _play(lookup_repair_story.steps(Parts(), NOW))
    _drill()
    _play(lookup_repair_story.found(Parts(), NOW))
    with make.acting("viewer", read_only=True):
        triage = register.system("claims-triage").id
    incident_helpers.declare(at=NOW - timedelta(minutes=48), systems=[triage])
    _play(lookup_repair_story.repaired(Parts(), NOW))
    _play(model_card_story.steps(Parts(), NOW))
    with clock.frozen(NOW), make.acting("viewer", read_only=True):
        lookup = register.system("policy-lookup")
        now, (published,) = record.assembled(lookup), queries.versions(lookup.id)
        assert (published.release, published.number) == ("2026.12.0", 1)
        assert not card.changes(published.content, now.content)
        assert {each["kind"] for each in published.content["known_failures"]} == {
            "finding",
            "incident",
        }
        assert published.content["stop_drill"]["passed"]
        path = f"/model-cards/acme/{queries.public_token(lookup.id)}"
        assert record.assembled(register.system("claims-triage")).blockers
    with clock.frozen(NOW):
        page = client.get(path)
    assert "Clauses that were withdrawn" in page.text
