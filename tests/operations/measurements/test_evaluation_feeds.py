"""Indicators that count the cases of evaluation runs, so that a measure has an error budget."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import events
from governance.operations.alerts import actions as alerts
from governance.operations.alerts import budgets
from governance.operations.alerts.jobs import check_budgets
from governance.operations.evaluations.events import RunJudged
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.measurements import actions as indicators
from governance.operations.measurements import evaluation_feeds
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import MINUTES
from governance.operations.objectives import actions as objectives
from governance.operations.policies import queries as policies
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    judged,
    log_of,
    published_suite,
    system,
)

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _indicator(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            release_actions.state_release(
                system(serves=""),
                "2026.11.2",
                since=date(2026, 10, 1),
                reason="The deployment log.",
            )
            found = _define("grounded-answers", "claims-triage")
            evaluation_feeds.feed(found, "claims-grounding/hallucination")
        yield


def _define(key, slug, **changes):
    return indicators.define(
        **{
            "key": key,
            "name": key,
            "system_id": register.system(slug).id,
            "feature": None,
            "kind": "ratio",
            "unit": "cases",
        }
        | changes
    )


def run(passed, failed, number, day):
    return judged(log_of(passed, failed, run=f"run-{number}", stats={"completed_at": day}))


def counted():
    with make.acting("admin"):
        m = MINUTES.c
        rows = session().execute(select(m.at, m.good, m.total).order_by(m.at)).all()
        return [(row.at.isoformat()[:16], row.good, row.total) for row in rows]


def test_a_run_is_one_minute_of_good_and_total_cases_however_often_it_is_told():
    found = run(1145, 55, 1, "2026-11-24T10:00:30Z")
    assert counted() == [("2026-11-24T10:00", 1145, 1200)]
    with make.acting("admin"):
        events.publish(RunJudged(found.id, found.system_id, found.version_id, found.week))
    drain()
    assert counted() == [("2026-11-24T10:00", 1145, 1200)]


def test_a_failed_run_counts_nothing():
    judged(log_of(10, 0, status="error", error={"message": "The judge was unreachable"}))
    assert counted() == []


def test_a_run_of_another_system_or_after_the_end_counts_nothing(as_officer):
    with make.acting("admin"):
        from governance.operations.measurements import queries

        found = queries.named("grounded-answers")
        evaluation_feeds.stop(found)
        evaluation_feeds.stop(found)
        text = [e.action for e in session().scalars(select(AuditEntry))]
        assert text.count("indicator.evaluation.stopped") == 1
    run(10, 0, 1, "2026-11-24T10:00:00Z")
    assert counted() == []


def _objective():
    return objectives.create(
        key="grounded",
        name="Grounded answers",
        indicator_id=measurements.named("grounded-answers").id,
        owner_id=None,
        target=Decimal("0.97"),
        window="rolling",
        window_days=30,
        minimum_coverage=Decimal(0),
        is_ai=True,
    )


def test_who_chooses_a_tier_for_a_gone_budget_sees_what_it_would_move(as_officer, as_neighbour):
    run(1155, 45, 1, "2026-11-24T10:00:00Z")
    with make.acting("admin"):
        objective = _objective()
        alerts.set_response(objective, "strict")
        page = f"reliability/alerts/responses/{objective.id}"
    saved = main_text(as_officer.get(page))
    assert "If Strict were in force now" in saved and "Hallucination ≤ 3.0% becomes" in saved
    other = main_text(as_officer.get(f"{page}?tier=regulated"))
    assert "If Regulated were in force now" in other and "Preview Strict" in other
    same = main_text(as_officer.get(f"{page}?tier=standard"))
    assert "What a tier would move now" in same and "becomes" not in same
    assert "were in force now" in main_text(as_officer.get(f"{page}?tier=nonsense"))
    as_neighbour.get(page, then=404)
    with make.acting("admin"):
        assert policies.current_policy().content.tier == "standard"


def test_an_exhausted_budget_of_a_measure_tightens_the_tier_by_the_policy(as_officer):
    with make.acting("admin"):
        alerts.set_response(_objective(), "strict")
    run(1200, 0, 1, "2026-10-27T10:00:00Z")
    run(1190, 10, 2, "2026-11-10T10:00:00Z")
    with make.acting("admin"):
        budgets.check_all()
        assert policies.current_policy().content.tier == "standard"
    run(1020, 180, 3, "2026-11-24T10:00:00Z")
    check_budgets()
    with make.acting("admin"):
        now = policies.current_policy()
        assert now.content.tier == "strict"
        reason = "The error budget of Grounded answers is gone."
        assert policies.version(now.number).reason == reason
    assert "published by Meridian" in as_officer.get("policies/").text
    objectives_page = as_officer.get("reliability/").text
    assert "Grounded answers" in objectives_page and "gaps" not in objectives_page


def test_an_officer_chooses_the_measure_and_others_do_not(as_officer, as_viewer, as_neighbour):
    with make.acting("admin"):
        found = _define("second", "claims-triage")
        where = f"reliability/indicators/{found.id}/evaluation"
    assert "Count an evaluation" in as_officer.get("reliability/indicators/second").text
    as_viewer.get(where, then=403)
    as_neighbour.get(where, then=404)
    text = as_officer.get(where).text
    assert "Claims grounding: Hallucination" in text and "Latency" not in text
    as_officer.post(where, then=422, measure="claims-grounding/latency-p95")
    as_officer.post(where, then=303, measure="claims-grounding/task-success")
    assert "It counts task-success of" in as_officer.get(where).text
    as_officer.post(f"{where}/stop", then=303)
    assert "It counts" not in as_officer.get(where).text
