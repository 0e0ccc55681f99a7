"""Other features' facts on a system's pages: data sets, models' successors, retirement."""

from datetime import timedelta

import pytest

from governance.foundation.api_keys import actions as keys
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.measurements import actions as indicators
from governance.operations.measurements import evaluation_feeds
from governance.operations.systems import actions, parts, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.foundation.webhooks.receiver import Receiver
from tests.operations.datasets.data_set_helpers import add_data_set, described
from tests.operations.evaluations.evaluation_helpers import judged, log_of, published_suite
from tests.operations.policies.conftest import policy_content, put_in_force
from tests.operations.switches import switch_helpers

TRIAGE = "systems/claims-triage"
NEXT = "helio-5-large"


@pytest.fixture(autouse=True)
def registered_system(app, isolated):
    with make.acting("compliance_officer"):
        system = actions.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="standard",
            purpose="Sorts claims.",
            owner_id=None,
            facts={
                "models": "Helio, helio-4-large, 2026-08, 2027-03-31",
                "data_sets": ["claims-2025 1", "wordings 3", "a list on paper"],
            },
        )
        system.models = [system.models[0] | {"successor": NEXT}]
        return system.id


# ---- data sets


def test_a_data_set_that_a_system_names_shows_its_state_and_leads_to_its_page(as_viewer):
    old = clock.today() - timedelta(days=40)
    claims = add_data_set(content=described(newest_record=old, max_age_days=30))
    add_data_set("wordings", content=described(consent_until=clock.today() - timedelta(days=1)))
    for path in (TRIAGE, f"{TRIAGE}/models"):
        page = as_viewer.get(path)
        text = main_text(page)
        assert f"/data-sets/{claims}" in page.text
        assert "Stale since" in text and "No consent since" in text
        # The data set wordings, whose version 3 doesn't exist.
        assert "version 1 is published" in text
        assert "a list on paper" in text


def test_a_current_data_set_says_so_and_a_neighbours_is_unknown(as_viewer):
    add_data_set("wordings", content=described())
    add_data_set("claims-2025", slug="globex", content=described())
    page = as_viewer.get(TRIAGE)
    assert "Usable" in main_text(page) and page.text.count("/data-sets/") == 1


# ---- evaluations on the successor of a model


@pytest.fixture
def on_successor(registered_system):
    def run(passed, failed, number, model=f"helio/{NEXT}"):
        log = log_of(passed, failed, run=f"run-{number}")
        log["eval"]["model"] = model
        return judged(log)

    with make.acting("admin"):
        published_suite()
    return run


def test_the_horizon_says_what_runs_on_the_successor_found_or_that_there_is_none(
    as_viewer, on_successor
):
    horizon = f"{TRIAGE}/models", "systems/model-retirements"
    for path in horizon:
        assert "No evaluation on it yet" in main_text(as_viewer.get(path))
    on_successor(1200, 0, 1, model="helio/helio-4-large")
    for path in horizon:
        assert "No evaluation on it yet" in main_text(as_viewer.get(path))
    run = on_successor(900, 300, 2)
    for path in horizon:
        page = as_viewer.get(path)
        assert "1 fail" in main_text(page) and f"/evaluations/runs/{run.id}" in page.text


def test_a_run_on_the_successor_leads_to_its_comparison_with_the_model_before(
    as_viewer, on_successor
):
    new = on_successor(900, 300, 2)
    horizon = f"{TRIAGE}/models", "systems/model-retirements"
    for path in horizon:
        assert "compare with" not in main_text(as_viewer.get(path)), "nothing ran on it"
    on_successor(1200, 0, 1, model="helio/helio-4-large")
    old = on_successor(1200, 0, 3, model="helio-4-large")
    on_successor(1200, 0, 4, model="other-model")
    for path in horizon:
        page = as_viewer.get(path)
        assert f"compare with run {old.number}" in main_text(page)
        address = f"/t/acme/evaluations/comparisons/{old.id}/{new.id}"
        assert f'href="{address}"' in page.text
    assert "is worse on 1 of" in main_text(as_viewer.get(address))


def test_what_cannot_be_compared_has_no_link(as_viewer, on_successor):
    on_successor(900, 300, 2)
    on_successor(1200, 0, 1, model="helio/helio-4-large")
    assert "compare with run 2" in main_text(as_viewer.get(f"{TRIAGE}/models"))
    with make.acting("admin"):
        suite = evaluations.suite("claims-grounding")
        suite_actions.withdraw(evaluations.version(suite.id), suite, reason="Its limit was wrong")
    assert "compare with" not in main_text(as_viewer.get(f"{TRIAGE}/models"))


def test_only_runs_of_the_systems_that_use_the_model_count(as_viewer, on_successor):
    on_successor(1200, 0, 1)
    with make.acting("compliance_officer"):
        actions.register(
            key="billing",
            stage="live",
            name="Billing",
            lane="standard",
            purpose="Bills.",
            owner_id=None,
            facts={"models": "Helio, helio-4-small, , 2027-01-31"},
        )
        billing = queries.system("billing", lock=True)
        billing.models = [billing.models[0] | {"successor": NEXT}]
    page = main_text(as_viewer.get("systems/billing/models"))
    assert "No evaluation on it yet" in page
    horizon = main_text(as_viewer.get("systems/model-retirements"))
    assert "No evaluation on it yet" in horizon and "Run 1" in horizon


# ---- retirement


def consequences():
    with make.acting("admin", read_only=True):
        return " ".join(parts.consequences_of(queries.system("claims-triage")))


def test_retirement_counts_what_the_policy_has_for_the_system_alone(registered_system, as_viewer):
    assert "of the policy" not in consequences()
    put_in_force(policy_content(on=[(registered_system, "memory", "off")]))
    assert "1 value of the policy for it alone: nothing reads it any more" in consequences()
    assert "1 value of its own" in main_text(as_viewer.get(TRIAGE))


@pytest.fixture
def receiver():
    with Receiver(204).serving() as served:
        yield served


def test_retirement_counts_evaluations_that_were_asked_for_and_their_budgets(
    registered_system, receiver
):
    with make.acting("admin"):
        suite = published_suite()
        feed = indicators.define(
            key="grounded-answers",
            name="Grounded answers",
            system_id=registered_system,
            feature=None,
            kind="ratio",
            unit="cases",
        )
        evaluation_feeds.feed(feed, "claims-grounding/hallucination")
        webhooks.add(name="CI", url=receiver.url, events=["evaluation.run.requested"])
        asked = request_actions.request(
            system=queries.system("claims-triage"),
            suite=suite,
            version=evaluations.version(suite.id),
            release="2026.12.0",
        ).id
    found = consequences()
    assert "1 evaluation that a runner was asked for" in found
    assert "1 error budget of its evaluations" in found
    with make.acting("admin"):
        request_actions.cancel(request_queries.request(asked))
    assert "asked for" not in consequences()


# ---- dependents


def test_what_rests_on_a_system_is_listed_for_those_who_may_open_it(
    registered_system, as_officer, as_viewer
):
    with make.acting("admin"):
        keys.create("Triage", ["usage:write"], system_id=registered_system)
    assert "1 API key" in main_text(as_officer.get(TRIAGE))
    assert "1 API key" not in main_text(as_viewer.get(TRIAGE))


# ---- its history


def test_what_happened_to_its_switches_is_in_its_history_with_a_link(as_viewer):
    stop_id = switch_helpers.stop_feature(None)
    history = as_viewer.get(TRIAGE).text.partition('id="history"')[2]
    assert "stopped an AI system" in history
    assert f'href="/t/acme/switches/stops/{stop_id}"' in history
    assert "registered an AI system" in history
