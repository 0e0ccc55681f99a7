"""Rehearsals: months of the tenant's zone, exclusions with notice, all tenants at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.models import TenantTimeZone
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.kernel.work import jobs
from governance.operations.agreements import queries
from governance.operations.agreements.rehearsal import rehearse
from governance.operations.agreements.rehearsal_pages import conclusion
from governance.operations.measurements import actions as measuring
from tests import make
from tests.browser import words
from tests.operations.agreements import agreement_helpers as some
from tests.operations.objectives.objective_helpers import define, exclude, minutes_of

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)
OCTOBER = Span(some.OCTOBER, datetime(2026, 10, 31, 23, tzinfo=UTC))
DOWN = Span(OCTOBER.start, OCTOBER.start + 60 * MINUTE)


@pytest.fixture(autouse=True)
def _frozen():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def indicator(database):
    """Add October: 60 minutes down, then data in every fourth minute of 31 days."""
    with make.acting():
        found = define(kind="downtime")
        measuring.store(
            [
                *minutes_of(found, DOWN, good=0),
                *minutes_of(found, Span(DOWN.end, OCTOBER.end), every=4),
            ],
            backfill_reason="History",
        )
    return found


def terms(indicator, **changes):
    """Draft terms that a quarter of the minutes suffice to determine."""
    return some.drafted(indicator, minimum_coverage=Decimal("0.2"), **changes)


def replayed(row):
    with some.operating():
        return rehearse(queries.version(row.id))


def announce(before):
    """Announce maintenance during the downtime, that long before it."""
    with make.acting():
        exclude(DOWN, announced_at=DOWN.start - before)


def test_months_without_data_are_not_determinable(indicator):
    found = replayed(terms(indicator))
    assert [str(each.month) for each in found.months][::12] == ["2025-10", "2026-10"]
    [october] = [each for each in found.months if each.lines[0].attained is not None]
    measured = 60 + (44_700 - 60) // 4
    assert october.lines[0].attained == Fraction(measured - 60, measured)
    assert (october.credit.credit, october.share) == (52_000, Fraction(52_000, 1_240_000))
    assert found.undetermined == 12


def test_coverage_below_the_minimum_is_not_determinable(indicator):
    found = replayed(some.drafted(indicator))  # Requires 95% of minutes.
    assert found.credit == 0
    assert found.undetermined == 13
    assert "Nothing is determinable" in conclusion(found)


def test_heading_says_how_many_results_are_not_determinable_beside_no_credit(indicator):
    row = terms(indicator)
    announce(timedelta(hours=100))  # Hides the outage, so the one month with data has no credit.
    assert conclusion(replayed(row)) == (
        "No credit would have been due; 12 of 13 results are not determinable"
    )


def test_maintenance_counts_only_when_announced_in_time(indicator):
    row = terms(indicator)
    announce(timedelta(hours=46))
    assert replayed(row).credit == 52_000  # The agreement requires 72 hours.


def test_maintenance_announced_in_time_hides_its_minutes(indicator):
    row = terms(indicator)
    announce(timedelta(hours=73))
    assert replayed(row).credit == 0


def test_categories_that_the_agreement_leaves_out_hide_nothing(indicator):
    row = terms(indicator, excluded_categories=("force_majeure",))
    announce(timedelta(hours=73))
    assert replayed(row).credit == 52_000


def test_zone_that_changed_in_the_middle_of_a_month_loses_no_minute(indicator):
    """Keep every minute: from 15 October in New York, October ends 6 hours after that of UTC+2."""
    with make.acting("admin"):
        for month, day, zone in ((1, 1, "Europe/Berlin"), (10, 15, "America/New_York")):
            since = datetime(2026, month, day, tzinfo=UTC)
            session().add(TenantTimeZone(since=since, zone=zone))
    [october] = [m for m in replayed(terms(indicator)).months if str(m.month) == "2026-10"]
    assert october.lines[0].score.window == 31 * 1440 + 6 * 60  # Midnight in New York is 4:00 UTC.


def test_operator_rehearses_all_tenants_in_the_background(as_operator, as_admin, indicator):
    terms(indicator)
    base = "/operator/agreement-rehearsals/"
    assert "No rehearsals yet" in words(as_operator.get(base))
    as_operator.post(base, terms="generous", then=422)
    started = as_operator.post(base, terms="own")
    again = as_operator.post(base, terms="own")
    assert again.location == started.location  # The second click watches the first.
    assert "under way" in words(as_operator.get(started.location))
    jobs.drain(actor_of)
    shown = words(as_operator.get(started.location))
    assert "1 agreement of 1 would have cost credits" in shown
    assert "€520.00" in shown
    assert "Acme Insurance" in shown
    as_admin.get(started.location, then=404)


def test_operator_rehearses_other_terms_without_changing_any(as_operator, indicator):
    row = terms(indicator)
    started = as_operator.post("/operator/agreement-rehearsals/", terms="regulated")
    jobs.drain(actor_of)
    assert "€1,300.00" in words(as_operator.get(started.location))  # 25% of €5,200.00.
    with some.operating():
        [commitment] = queries.parts(row.id).commitments
        assert commitment.bands == some.BANDS


def test_rehearsal_can_be_cancelled_before_it_starts(as_operator, indicator):
    started = as_operator.post("/operator/agreement-rehearsals/", terms="own")
    as_operator.post(f"{started.location}/cancel")
    jobs.drain(actor_of)
    as_operator.post(f"{started.location}/again")
    jobs.drain(actor_of)
    assert "No tenant has an agreement" in words(as_operator.get(started.location))
