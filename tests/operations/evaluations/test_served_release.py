"""The served release as a person states it without a rollout; until then no budget changes."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.measurements import actions as indicators
from governance.operations.measurements import evaluation_feeds
from governance.operations.measurements.models import MINUTES
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.evaluations.evaluation_helpers import judged, log_of, published_suite, system

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
MADE_UP = "2026.12.9"
FORM = "evaluations/systems/claims-triage/release"


@pytest.fixture(autouse=True)
def _world(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system(serves="")
            found = indicators.define(
                key="grounded-answers",
                name="Grounded answers",
                system_id=register.system("claims-triage").id,
                feature=None,
                kind="ratio",
                unit="cases",
            )
            evaluation_feeds.feed(found, "claims-grounding/hallucination")
        yield


def run(number: int, release: str, *, failed: int = 0):
    ended = f"2026-11-24T10:{number:02}:00+00:00"
    log = log_of(1200 - failed, failed, run=f"run-{number}", stats={"completed_at": ended})
    return judged(log, release=release)


def counted() -> list[int]:
    """Return the cases of each minute that an error budget counts."""
    with make.acting("admin"):
        return list(session().scalars(select(MINUTES.c.total).order_by(MINUTES.c.at)))


def state(visitor, release: str, then: int = 303, **fields: str):
    sent = {"release": release, "since": "2026-11-20", "reason": "The deployment log."} | fields
    return visitor.post(FORM, then=then, **sent)


def test_a_run_of_a_release_that_nothing_records_moves_no_budget_until_it_is_stated(
    as_contributor, as_viewer
):
    run_id = run(1, MADE_UP).id
    assert counted() == []
    page = main_text(as_contributor.get(f"evaluations/runs/{run_id}"))
    assert "No release of claims-triage is stated as served, so this run counts nowhere" in page
    assert "State the release…" in page
    assert "State the release…" not in main_text(as_viewer.get(f"evaluations/runs/{run_id}"))
    state(as_contributor, MADE_UP)
    assert counted() == []  # No earlier minute changes.
    run(2, MADE_UP)
    assert counted() == [1200]


def test_once_a_release_is_stated_runs_of_others_are_unknown_and_shown_apart(as_contributor):
    state(as_contributor, "2026.11.2")
    run(1, "2026.11.2")
    run_id = run(2, MADE_UP, failed=400).id
    assert counted() == [1200]
    assert "Unknown release:" in as_contributor.get(f"evaluations/runs/{run_id}").text
    board = main_text(as_contributor.get("evaluations/"))
    assert "2026.11.2 Served, as stated" in board
    assert "2 of 6 results pass" in board


def test_a_run_of_a_release_that_was_served_before_is_not_called_unknown(as_contributor):
    state(as_contributor, "2026.11.2")
    page = f"evaluations/runs/{run(1, '2026.11.2').id}"
    state(as_contributor, "2026.12.0", since="")
    shown = main_text(as_contributor.get(page))
    assert "Earlier release: 2026.11.2 is neither served nor in a rollout any more" in shown
    assert "Unknown release" not in shown and "State the release…" not in shown
    assert counted() == [1200]  # "What they counted before stays."


def test_the_page_of_the_weeks_says_what_is_stated_and_leads_to_the_next_statement(
    as_contributor, as_viewer
):
    weeks = "evaluations/systems/claims-triage"
    assert "No release is stated as served, so no run counts. State the release…" in main_text(
        as_contributor.get(weeks)
    )
    state(as_contributor, "2026.11.2")
    page = as_contributor.get(weeks)
    assert "2026.11.2 is served, as stated. State another release…" in main_text(page)
    assert f'href="/t/acme/{FORM}"' in page.text
    read = main_text(as_viewer.get(weeks))
    assert "2026.11.2 is served, as stated." in read and "State another release" not in read


def test_a_statement_counts_from_its_day_on(as_contributor):
    state(as_contributor, "2026.11.2", since="2026-11-25")
    run(1, "2026.11.2")  # Ended on the day before.
    assert counted() == []


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"release": ""}, "Enter the release that is served"),
        ({"since": "2026-11-26"}, "Enter today or an earlier day"),
        ({"reason": ""}, "Enter how you know it"),
    ],
)
def test_a_statement_that_lacks_something_is_refused(as_contributor, fields, says):
    assert says in main_text(
        state(as_contributor, **{"release": "2026.11.2", "then": 422} | fields)
    )


def test_a_statement_follows_the_one_before_and_is_recorded(as_contributor):
    state(as_contributor, "2026.11.2")
    again = state(as_contributor, "2026.11.2", then=422)
    assert "serves 2026.11.2 already" in main_text(again)
    earlier = state(as_contributor, "2026.11.3", then=422, since="2026-11-01")
    assert "is served since 20 Nov" in main_text(earlier)
    state(as_contributor, "2026.11.3", since="2026-11-24")
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "evaluation.release.stated")
        entries = [each.facts | each.changes for each in session().scalars(query)]
    assert [each["release"] for each in entries] == ["2026.11.2", "2026.11.3"]


def test_viewers_and_other_tenants_state_nothing(as_viewer, as_auditor, as_neighbour):
    for visitor, then in ((as_viewer, 403), (as_auditor, 403), (as_neighbour, 404)):
        visitor.get(FORM, then=then)
        state(visitor, "2026.11.2", then=then)


def test_what_judged_a_run_never_changes():
    run_id = run(1, "2026.11.2").id
    for column, value in (
        ("judged_tier", "'baseline'"),
        ("judged_policy", "7"),
        ("read_as", "'[]'"),
    ):
        with make.acting("admin"):
            queries.run(run_id)
            with (
                pytest.raises(DBAPIError, match="what judged a run never changes"),
                session().begin_nested(),
            ):
                session().execute(
                    text(f"UPDATE evaluation_runs SET {column} = {value} WHERE id = :id"),
                    {"id": run_id},
                )
