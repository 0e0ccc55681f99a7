"""Counts of decisions: added by many workers, folded into days, bounded, per tenant."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.decision_counts import actions, queries
from governance.operations.decision_counts.models import DecisionCount
from governance.operations.decisions.counting import DecisionCounter, Requester

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOBODY = Requester(UUID(int=1), "name", "name", "", None)


def rows(grain: str) -> int:
    return session().scalar(
        select(func.count()).select_from(DecisionCount).where(DecisionCount.grain == grain)
    )


def test_what_two_workers_counted_in_one_minute_is_one_row(acting):
    with acting("admin"), clock.frozen(NOON):
        for _ in range(2):
            actions.add(
                {
                    (NOON, "claims-triage", "policy.grounding", "sources_only"): 3,
                    (NOON, "", "bulk", ""): 1,
                }
            )
        actions.add({})
        assert queries.evaluations_since(NOON) == {
            ("claims-triage", "policy.grounding"): {"sources_only": 6},
            ("", "bulk"): {"": 2},
        }
        assert rows("minute") == 2 and queries.total_since(NOON) == 8


def test_days_that_are_over_are_folded_and_nothing_is_lost(acting):
    with acting("admin"), clock.frozen(NOON):
        minutes = [NOON - timedelta(hours=n) for n in range(24 * 6)]
        actions.add({(at, "claims-triage", "bulk", ""): 2 for at in minutes})
        before = queries.total_since(NOON - timedelta(days=30))
        assert actions.fold() == sum(
            at < NOON.replace(hour=0) - timedelta(days=2) for at in minutes
        )
        assert queries.total_since(NOON - timedelta(days=30)) == before == 288
        assert rows("day") == 4 and rows("minute") == 61
        assert actions.fold() == 0, "folded again, nothing is left to fold"


def test_a_day_that_is_folded_twice_is_added_to(acting):
    with acting("admin"), clock.frozen(NOON):
        old = NOON - timedelta(days=5)
        for _ in range(2):
            actions.add({(old, "claims-triage", "bulk", ""): 2})
            actions.fold()
        assert queries.total_since(NOON - timedelta(days=30)) == 4 and rows("day") == 1


def test_days_past_their_time_go(acting):
    with acting("admin"), clock.frozen(NOON):
        actions.add({(NOON - timedelta(days=500), "claims-triage", "bulk", ""): 2})
        actions.fold()
        assert rows("day") == rows("minute") == 0


def test_one_tenants_counts_are_nobody_elses(acting):
    with acting("admin"), clock.frozen(NOON):
        actions.add({(NOON, "claims-triage", "bulk", ""): 2})
    with acting("admin", "globex"), clock.frozen(NOON):
        assert queries.total_since(NOON - timedelta(days=1)) == 0
        actions.fold()
    with acting("admin"), clock.frozen(NOON):
        assert queries.total_since(NOON - timedelta(days=1)) == 2


def test_asking_costs_one_statement_however_much_was_counted(acting, statements):
    with acting("admin"), clock.frozen(NOON):
        actions.add(
            {
                (NOON - timedelta(minutes=n), "claims-triage", f"policy.{n % 9}", ""): 1
                for n in range(500)
            }
        )
        with statements() as seen:
            queries.evaluations_since(NOON - timedelta(days=1))
            queries.per_minute(NOON - timedelta(days=1))
        assert len(seen) == 2


ASKED = st.lists(
    st.tuples(
        st.sampled_from(["acme", "globex"]),
        st.sampled_from(["", "a"]),
        st.sampled_from(["bulk", "policy.x"]),
    ),
    max_size=60,
)


@given(ASKED, st.integers(0, 60))
def test_a_worker_counts_each_answer_once_also_when_writing_fails_in_between(asked, failed_after):
    tally, written = DecisionCounter(), 0
    for n, (tenant, system, flag) in enumerate(asked):
        tally.note(tenant, system, flag, "", NOBODY, 1)
        if n == failed_after:
            for slug, counts in tally.take_counts().items():
                tally.give_back(slug, counts)
    for counts in tally.take_counts().values():
        written += sum(counts.values())
    assert written == len(asked) and tally.take_counts() == {}


def test_who_heard_a_newer_number_is_told_of_once_and_again_when_they_goes_on_asking():
    tally, who = DecisionCounter(), Requester(UUID(int=1), "a key", "dublin-1", "Dublin", None)

    def note(number: int, at: datetime) -> None:
        with clock.frozen(at):
            tally.note("acme", "", "bulk", "", who, number)

    def news(at: datetime) -> list:
        with clock.frozen(at):
            return tally.news()

    note(7, NOON)
    ((tenant, key, name, heard),) = news(NOON)
    assert (tenant, name, heard.number, heard.at) == ("acme", "dublin-1", 7, NOON.timestamp())
    tally.mark_written(tenant, key, name, heard)
    assert news(NOON) == []
    soon = NOON + timedelta(seconds=5)
    note(8, soon)
    note(7, soon)
    ((_, _, _, later),) = news(soon)
    assert (later.number, later.at) == (8, soon.timestamp())
    tally.mark_written(tenant, key, name, later)
    after = soon + timedelta(seconds=61)
    note(8, after)
    ((_, _, _, still),) = news(after)
    assert still.at == later.at and still.seen == after.timestamp()
    tally.mark_written(tenant, key, name, still)
    assert news(after + timedelta(hours=1)) == [] and not tally._heard, (
        "who is quiet is forgotten by the worker"
    )
