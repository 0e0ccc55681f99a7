"""State and deadline of an evidence item in SQL, which equal the formula of freshness.py."""

from datetime import UTC, datetime, time, timedelta
from itertools import product
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select, text

from governance.assurance.evidence import freshness_sql, item_history, queries, review_queue
from governance.assurance.evidence.freshness import CADENCES, deadline, due_soon_days, max_age_days
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidenceReview,
    EvidenceVersion,
    EvidenceWithdrawal,
)
from governance.assurance.evidence.visibility import WHOLE
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.hypothesis_profiles import examples

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
TODAY = NOW.date()
# Shrinking an example would cost too many page requests.
FOUND = (Phase.explicit, Phase.reuse, Phase.generate)
# Days after the end of the cadence or the notice period.
EDGE = {"the last day": 0, "the day after": 1}
edges = st.sampled_from(list(EDGE))
near = st.one_of(st.integers(-3, 20), st.integers(-400, 400)).map(
    lambda days: TODAY + timedelta(days=days)
)
later = st.integers(15, 400).map(lambda days: TODAY + timedelta(days=days))
past = st.integers(0, 400).map(lambda days: NOW - timedelta(days=days))
past_and_future_instants = st.one_of(
    past, past, past, st.integers(1, 9).map(lambda hours: NOW + timedelta(hours=hours))
)
decisions = st.sampled_from(["accepted", "accepted", "accepted", "rejected"])
decided = st.sampled_from(["requested", "approved", "done", "rejected", "withdrawn"])


def rarely(drawn):
    return st.one_of(st.none(), st.none(), st.none(), drawn)


versions = st.fixed_dictionaries(
    {
        "collected": edges | st.integers(0, 400),
        "uploaded": past_and_future_instants,
        "valid_until": edges | later | near,
        "review": st.one_of(st.none(), *(st.tuples(decisions, past_and_future_instants),) * 3),
        "fault": rarely(st.tuples(past_and_future_instants, st.booleans())),
        "deletion": rarely(st.tuples(decided, past_and_future_instants)),
        "withdrawn": rarely(past_and_future_instants),
    }
)
drawn = st.fixed_dictionaries(
    {
        "cadence": st.sampled_from([*CADENCES, "whenever"]),
        "due_on": st.none() | near,
        "retired": st.sampled_from([False, False, False, True]),
        "versions": st.lists(versions, max_size=4),
    }
)


def insert_evidence(piece, number):
    common = {"created_at": NOW - timedelta(days=500)}
    e = Evidence(
        id=uuid4(),
        ref=f"EV-{number:04}",
        title=f"Piece {number}",
        kind="record",
        cadence=piece["cadence"],
        due_on=piece["due_on"],
        owner_id=make.person_id("contributor") if number % 2 else None,
        version=1,
        confidentiality="internal",
        retired_at=NOW if piece["retired"] else None,
        **common,
    )
    session().add(e)
    session().flush()
    for n, v in enumerate(piece["versions"], start=1):
        age, until = v["collected"], v["valid_until"]
        if age in EDGE:
            age = (max_age_days(piece["cadence"]) or 30) + EDGE[age]
        if until in EDGE:
            until = TODAY + timedelta(days=due_soon_days(piece["cadence"]) + EDGE[until])
        collected = datetime.combine(TODAY - timedelta(days=age), time(), UTC)
        row = EvidenceVersion(
            id=uuid4(),
            evidence_id=e.id,
            number=n,
            url="https://records.example/",
            source="drawn",
            collected_at=collected,
            uploaded_at=v["uploaded"],
            uploaded_by=None,
            period_from=min(TODAY, until),
            period_to=until,
            valid_until=until,
            **common,
        )
        session().add(row)
        session().flush()
        insert_history(row, v)
    session().flush()


def insert_history(row, drawn):
    if drawn["review"]:
        decision, at = drawn["review"]
        session().add(
            EvidenceReview(
                version_id=row.id, decision=decision, reason="", reviewed_by=uuid4(), reviewed_at=at
            )
        )
    if drawn["fault"]:
        at, healed = drawn["fault"]
        session().add(
            EvidenceFault(
                version_id=row.id, kind="missing", found_at=at, restored_at=NOW if healed else None
            )
        )
    if drawn["withdrawn"]:
        session().add(
            EvidenceWithdrawal(version_id=row.id, reason="why", created_at=drawn["withdrawn"])
        )
    if drawn["deletion"]:
        state, at = drawn["deletion"]
        decided = None if state == "requested" else at
        session().add(
            EvidenceDeletion(
                version_id=row.id,
                sha256="0" * 64,
                size=1,
                state=state,
                reason="",
                by_rule=False,
                requested_by=uuid4(),
                decided_by=None,
                decided_at=decided,
                done_at=None,
                work_item_id=None,
            )
        )


def check_sql_agrees():
    told = {
        row.id: (row.state, row.deadline, row.pending)
        for row in session().execute(select(freshness_sql.facts(NOW, WHOLE)))
    }
    live = {p.id: p for p in item_history.evidence_items().values() if p.retired is None}
    formula = {
        i: (
            p.freshness(NOW).state,
            deadline(p.at(NOW), due_on=p.due_on),
            sum(v.review == "pending" for v in p.at(NOW)),
        )
        for i, p in live.items()
    }
    assert told == formula
    check_owner_sees_their_own(told)
    return {state for state, *_ in told.values()}


def check_owner_sees_their_own(told):
    owner = make.person_id("contributor")
    f = freshness_sql.facts_of_owner(NOW, owner, literal(TODAY))
    owned = set(session().scalars(select(Evidence.id).where(Evidence.owner_id == owner)))
    assert {
        row.id: (row.state, row.deadline, row.pending) for row in session().execute(select(f))
    } == {i: each for i, each in told.items() if i in owned}


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Pacific/Auckland"])
def test_they_agree_on_the_edges_of_every_cadence_wherever_the_database_stands(database, zone):
    kept = {
        "uploaded": NOW - timedelta(days=2),
        "review": ("accepted", NOW - timedelta(days=1)),
        "fault": None,
        "deletion": None,
        "withdrawn": None,
    }
    with make.acting(), clock.frozen(NOW):
        session().execute(text(f"SET LOCAL TIME ZONE '{zone}'"))
        edge = product(
            [*CADENCES, "whenever"],
            EDGE,
            [*EDGE, TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=300)],
        )
        for number, (cadence, age, until) in enumerate(edge, start=1):
            version = kept | {"collected": age, "valid_until": until}
            insert_evidence(
                {"cadence": cadence, "due_on": None, "retired": False, "versions": [version]},
                number,
            )
        assert check_sql_agrees() == {"fresh", "due", "overdue"}


@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(drawn, min_size=1, max_size=12), st.sampled_from(["UTC", "America/New_York"]))
def test_the_database_and_the_formula_agree(database, pieces, zone):
    with make.acting(), clock.frozen(NOW), session().begin_nested() as undone:
        session().execute(text(f"SET LOCAL TIME ZONE '{zone}'"))
        for number, piece in enumerate(pieces, start=1):
            insert_evidence(piece, number)
        check_sql_agrees()
        session().expunge_all()
        undone.rollback()


@settings(
    max_examples=examples(10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=FOUND,
)
@given(
    st.lists(drawn, min_size=1, max_size=7),
    st.sampled_from(freshness_sql.SORTS),
    st.booleans(),
    st.sampled_from(["", *freshness_sql.STATES]),
    st.integers(2, 5),
)
def test_page_after_page_gives_every_piece_once_and_in_order(
    database, pieces, sort, descending, state, size
):
    with make.acting(), clock.frozen(NOW), session().begin_nested() as undone:
        for number, piece in enumerate(pieces, start=1):
            insert_evidence(piece, number)
        seen, after, asked = [], None, {"sort": sort, "descending": descending, "state": state}
        while True:
            shelf = queries.library(**asked, after=after, size=size)
            seen += [row.piece.id for row in shelf.rows]
            assert all(not state or row.fresh.state == state for row in shelf.rows)
            if (after := shelf.next) is None:
                break
        assert (
            seen == list(queries.matching_ids(**asked))
            and len(seen) == len(set(seen)) == shelf.matching
        )
        assert shelf.total == sum(not piece["retired"] for piece in pieces)
        if sort == "deadline":
            days = [row.deadline or TODAY.max for row in queries.summaries_of(seen)]
            assert days == sorted(days, reverse=descending)
        waits = review_queue.queue_page({}, size=1000)
        assert (
            review_queue.late_evidence().overdue == shelf.states["overdue"]
            and len(waits.rows) == waits.total == shelf.reviews
        )
        session().expunge_all()
        undone.rollback()


@pytest.mark.parametrize("mark", ["EV-0001", "WyJ4Il0=", "bm90IGpzb24="])
def test_a_bent_page_mark_is_refused(as_officer, mark):
    as_officer.get(f"evidence/?sort=deadline&after={mark}", then=422)
