"""Months of minutes: secured like every table, created ahead, and dropped when unneeded."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError

from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.operations.measurements import actions, jobs, partitions, ports, queries, retention
from governance.operations.measurements.models import DAYS, HOURS, MINUTES
from governance.operations.measurements.scoring import Counts
from tests import make
from tests.operations.measurements.measurement_helpers import MINUTE, NOW, define

TABLES = (MINUTES, HOURS, DAYS)


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


def put(indicator_id, at=NOW - MINUTE, good=5, total=5, reason=None):
    actions.store([(indicator_id, at, good, total)], backfill_reason=reason)


# ---- secured


SEALS = text("""
  SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS is_forced,
    pg_get_expr(p.polqual, p.polrelid) AS may_see,
    pg_get_expr(p.polwithcheck, p.polrelid) AS may_write
  FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
  WHERE c.relname IN ('indicator_minutes', 'indicator_minutes_2026_11')""")
INDEXES = text("""
  SELECT DISTINCT a.attname FROM pg_index i
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
  WHERE i.indrelid = 'indicator_minutes_2026_11'::regclass""")
GRANTEES = text("""
  SELECT DISTINCT grantee::regrole::text FROM pg_class c, aclexplode(c.relacl)
  WHERE c.relname = 'indicator_minutes_2026_11'""")


def test_a_month_is_sealed_by_its_table_and_by_itself(acting):
    with acting("admin"):
        put(define())
        table, month = sorted(session().execute(SEALS).all())
        assert table[1:] == month[1:] and month.is_forced
        assert "app.tenant" in month.may_see and month.may_see == month.may_write
        assert set(session().scalars(INDEXES)) == {"tenant_id"}
        assert set(session().scalars(GRANTEES)) == {"governance_owner"}


@pytest.mark.parametrize("table", TABLES, ids=lambda t: t.name)
def test_counts_are_invisible_and_unchangeable_to_the_other_tenant(acting, table):
    with acting("admin"):
        put(define())
        theirs = dict(session().execute(select(table)).mappings().one())
    with acting("admin", "globex"):
        assert session().execute(select(table)).all() == []
        assert session().execute(text(f"SELECT * FROM {table.name}")).all() == []
        assert session().execute(table.update().values(good=0)).rowcount == 0
        if table is not MINUTES:
            assert session().execute(table.delete()).rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), session().begin_nested():
            session().execute(table.insert().values(theirs))
        mine = define()
        put(mine)
        moved = table.update().where(table.c.indicator_id == mine)
        with pytest.raises(ProgrammingError, match="row-level security"), session().begin_nested():
            session().execute(moved.values(tenant_id=theirs["tenant_id"]))
    with acting("admin"):
        assert dict(session().execute(select(table)).mappings().one()) == theirs


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM indicator_minutes_2026_11",
        "UPDATE indicator_minutes_2026_11 SET good = 0",
        "DELETE FROM indicator_minutes_2026_11",
        "TRUNCATE indicator_minutes_2026_11",
        "DROP TABLE indicator_minutes_2026_11",
        "ALTER TABLE indicator_minutes DETACH PARTITION indicator_minutes_2026_11",
        "DELETE FROM indicator_minutes",
        "CREATE TABLE mine PARTITION OF indicator_minutes DEFAULT",
    ],
)
def test_the_application_reaches_a_month_through_the_table_alone(acting, statement):
    with acting("admin"):
        put(define())
        denied = pytest.raises(ProgrammingError, match="permission denied|must be owner")
        with denied, session().begin_nested():
            session().execute(text(statement))


def test_no_count_is_there_without_a_tenant(acting):
    with acting("admin"):
        put(define())
    with transaction():
        assert [session().execute(select(table)).all() for table in TABLES] == [[], [], []]


def test_an_hour_of_no_indicator_or_of_another_tenants_is_refused(acting):
    with acting("admin", "globex"):
        theirs = define()
    with acting("admin") as who:
        for indicator_id in (theirs, uuid4()):
            values = {"tenant_id": who.tenant_id, "indicator_id": indicator_id, "at": NOW}
            with pytest.raises(DBAPIError, match="foreign key"), session().begin_nested():
                session().execute(
                    HOURS.insert().values(**values, minutes=1, down=0, good=1, total=1)
                )


# ---- created


def test_months_are_created_ahead_and_once(database):
    jobs.create_partitions()
    jobs.create_partitions()
    with transaction():
        found = partitions.MINUTES.existing()
    assert {Month(2026, 11), Month(2026, 12), Month(2027, 1), Month(2027, 2)} <= set(found)


@pytest.mark.parametrize(
    ("verb", "month"),
    [
        ("create", "2026-11-02"),
        ("create", "1999-01-01"),
        ("create", "2099-01-01"),
        ("create", None),
        ("drop", "2099-01-01"),
        ("drop", "2024-09-02"),
        ("drop", None),
    ],
)
def test_the_functions_check_their_month(acting, verb, month):
    statement = text(f"SELECT {verb}_minute_partition(CAST(:month AS date))")
    refused = pytest.raises(DBAPIError, match="no partition|minutes of .* stay")
    with acting("admin"), refused, session().begin_nested():
        session().execute(statement, {"month": month})


def test_a_month_that_a_backfill_can_reach_is_never_dropped(acting):
    recent = text(
        "SELECT drop_minute_partition("
        "CAST(date_trunc('month', now() AT TIME ZONE 'UTC') - interval '14 months' AS date))"
    )
    with acting("admin"), pytest.raises(DBAPIError, match="stay"), session().begin_nested():
        session().execute(recent)


def test_minutes_on_both_sides_of_a_month_are_in_their_months(acting):
    midnight = datetime(2026, 11, 1, tzinfo=UTC)
    with clock.frozen(midnight + timedelta(hours=1)), acting("admin"):
        mine = define()
        rows = [(mine, midnight + n * MINUTE, 1, 2) for n in (-2, -1, 0, 1)]
        actions.store(rows)
        span = Span(midnight - 2 * MINUTE, midnight + 2 * MINUTE)
        assert queries.counts(mine, [span]) == Counts(4, 0, 4, 8)
        months = text("SELECT DISTINCT tableoid::regclass::text FROM indicator_minutes ORDER BY 1")
        assert list(session().scalars(months)) == [
            "indicator_minutes_2026_10",
            "indicator_minutes_2026_11",
        ]


# ---- dropped


def test_what_is_dropped_is_old_and_needed_by_nobody():
    present, months = Month(2026, 11), [Month(2026, 11).plus(-n) for n in range(30)]
    assert retention.to_drop(months, present) == [Month(2024, n) for n in (6, 7, 8, 9, 10)]
    needed = [None, Month(2024, 8), Month(2025, 1)]
    assert retention.to_drop(months, present, needed) == [Month(2024, 6), Month(2024, 7)]
    assert retention.to_drop(months, present, [Month(2020, 1)]) == []


@pytest.fixture
def needed():
    """Register what the tenants still need, by slug."""
    found: dict[str, Month] = {}
    asked: list[str] = []

    def answer():
        from governance.kernel import current

        asked.append(current.actor().tenant_slug)
        return found.get(asked[-1])

    port = ports.minutes_needed_since
    before, port._answer = port._answer, answer
    yield found
    port._answer = before
    assert "globex" in asked


def test_old_months_are_dropped_and_their_hours_and_days_stay(acting, needed):
    old, kept = datetime(2024, 9, 5, tzinfo=UTC), datetime(2024, 11, 5, tzinfo=UTC)
    indicator_ids = {}
    for at in (old, kept):
        with clock.frozen(at + MINUTE):
            for slug in ("acme", "globex"):
                with make.acting("admin", slug):
                    indicator_ids[slug] = indicator_ids.get(slug) or define()
                    put(indicator_ids[slug], at)
    needed["globex"] = Month(2024, 9)
    jobs.drop_old_minutes()
    with acting("admin"):
        assert Month(2024, 9) in partitions.MINUTES.existing()
    needed.clear()
    jobs.drop_old_minutes()
    with acting("admin"):
        assert Month(2024, 9) not in partitions.MINUTES.existing()
        assert Month(2024, 11) in partitions.MINUTES.existing()
        mine = indicator_ids["acme"]
        assert queries.minute_rows(mine, Span(old, old + MINUTE)) == []
        whole = Span(old, old + timedelta(days=1))
        assert queries.counts(mine, [whole]) == Counts(1, 0, 5, 5)
        assert actions.rebuild(mine, Span(old, NOW)) == 0
        assert queries.counts(mine, [whole]) == Counts(1, 0, 5, 5)


def test_a_tenant_that_cannot_be_asked_keeps_every_month(acting, needed):
    at = datetime(2024, 9, 5, tzinfo=UTC)
    with clock.frozen(at), acting("admin"):
        put(define(), at)
    port = ports.minutes_needed_since
    answer = port._answer

    def fail():
        answer()
        raise RuntimeError("away")

    port._answer = fail
    jobs.drop_old_minutes()
    with acting("admin"):
        assert Month(2024, 9) in partitions.MINUTES.existing()
