"""Exclusions: announce, approve, change, withdraw; which ones count, and where."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as requests
from governance.foundation.audit.models import AuditEntry
from governance.foundation.webhooks.models import WebhookDelivery
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.intervals import Span, minutes, union
from governance.kernel.work import events
from governance.operations.maintenance import actions, effect, queries
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.systems import actions as systems
from tests import faults
from tests.operations.maintenance.conftest import NOW, at, planned
from tests.operations.measurements import measurement_helpers

MONTH = Span(at(1, 0), at(30, 0) + timedelta(days=1))


@pytest.fixture
def counted(acting):
    """Return how many minutes of November are excluded."""

    def count(slug="acme", **asked):
        with acting("viewer" if slug == "acme" else "compliance_officer", slug, read_only=True):
            return minutes(union(each.span for each in queries.exclusions(MONTH, **asked)))

    return count


@pytest.fixture
def told():
    """Subscribe the test to the events, in addition to the others. Return its events."""
    heard = []
    with faults.restored(events._subscribers):
        events.subscribe(ExclusionChanged, heard.append, order=60)
        yield heard


def test_what_is_announced_in_time_counts_at_once(announced, counted, state_of, told):
    made = announced(at(28, 1))
    assert state_of(made) == "approved" and counted() == 120
    assert told == [ExclusionChanged(made, Span(at(28, 1), at(28, 3)), None, None, "announced")]
    assert counted("globex") == 0


@pytest.mark.parametrize(
    "given",
    [
        {"starts_at": at(25, 13)},  # An hour of notice.
        {"starts_at": at(20, 1)},  # After the fact.
        {"starts_at": at(28, 1), "category": "customer_caused"},
        {"starts_at": at(28, 1), "category": "force_majeure"},
    ],
)
def test_what_comes_too_late_needs_a_second_person(
    given, announced, decide, counted, state_of, acting, told
):
    made = announced(**given)
    assert state_of(made) == "proposed" and counted() == 0 and told == []
    with acting():
        request = queries.open_request(queries.exclusion(made))
        with pytest.raises(Forbidden, match="You announced this"):
            approvals.approve(request, seen=kinds.fingerprint_seen(request))
    decide(made)
    assert state_of(made) == "approved" and counted() == 120 and len(told) == 1
    with acting(read_only=True):
        row = queries.exclusion(made)
        assert row.approved_by is not None and row.announced_at == NOW


def test_rejected_it_hides_nothing(announced, decide, counted, state_of):
    made = announced(at(20, 1))
    decide(made, reject=True)
    assert state_of(made) == "rejected" and counted() == 0


def test_what_an_agreement_asks_of_notice_and_category_decides_what_counts(
    announced, decide, counted
):
    announced(at(28, 1))  # 61 hours.
    late, caused = announced(at(20, 1)), announced(at(10, 1), category="customer_caused")
    decide(late), decide(caused)
    assert counted() == 360
    assert counted(notice_hours=48) == 240  # Without the one announced after the fact.
    assert counted(notice_hours=72) == 120  # Customers' own causes need no notice.
    assert counted(categories={"maintenance"}) == 240
    assert counted(categories=()) == 0


def test_the_notice_of_a_series_is_that_of_each_occurrence(announced, counted):
    announced(at(28, 1), rrule="FREQ=DAILY;COUNT=3")
    assert counted() == 360
    assert counted(notice_hours=61) == 360
    assert counted(notice_hours=62) == 240
    assert counted(notice_hours=24 * 30) == 0


def test_overlapping_nested_and_adjoining_exclusions_count_once(announced, counted):
    announced(at(28, 1), 4)
    announced(at(28, 2), 1)  # Nested.
    announced(at(28, 4), 2)  # Overlapping.
    announced(at(28, 6), 1)  # Adjoining.
    announced(at(28, 1), 4)  # Equal.
    assert counted() == 360


def test_a_scope_is_a_system_an_indicator_or_everything(announced, counted, acting, now):
    indicator = measurement_helpers.defined()
    other = measurement_helpers.defined("latency", "threshold")
    with acting():
        system = measurement_helpers.system_of().id
        second = systems.register(
            key="second",
            stage="live",
            name="Second",
            lane="standard",
            purpose="Sorts.",
            owner_id=None,
        ).id
    announced(at(28, 1), system_id=system)
    announced(at(28, 11), indicator_id=indicator)
    announced(at(29, 1))
    assert counted(system_id=system, indicator_id=indicator) == 360
    assert counted(system_id=system, indicator_id=other) == 240
    assert counted(system_id=second) == 120
    assert counted() == 120
    with pytest.raises(Invalid, match="another system"), acting():
        actions.announce(planned(at(28, 1), system_id=second, indicator_id=indicator))


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"hours": 0}, "ends_at"),
        ({"hours": -1}, "ends_at"),
        ({"hours": 7 * 24 + 1}, "ends_at"),
        ({"starts_at": at(28, 1).replace(second=1)}, "starts_at"),
        ({"starts_at": at(28, 1).replace(year=2031)}, "starts_at"),
        ({"starts_at": at(28, 1).replace(year=2024)}, "starts_at"),
        ({"title": "  "}, "title"),
        ({"title": "x" * 121}, "title"),
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 2001}, "reason"),
        ({"category": "vacation"}, "category"),
        ({"rrule": "FREQ=SECONDLY;COUNT=2"}, "rrule"),
        ({"rrule": "FREQ=DAILY"}, "rrule"),
        ({"rrule": "FREQ=DAILY;COUNT=1001"}, "rrule"),
    ],
)
def test_bad_input_is_refused_beside_its_field(acting, database, given, field):
    with acting(), pytest.raises(Invalid) as refused:
        actions.announce(planned(**{"starts_at": at(28, 1), **given}))
    assert refused.value.field == field


def test_ids_of_another_tenant_are_not_found(announced, acting):
    made, indicator = announced(at(28, 1)), measurement_helpers.defined(slug="globex")
    with acting("compliance_officer", "globex"), pytest.raises(NotFound):
        queries.exclusion(made)
    with acting(), pytest.raises(NotFound):
        actions.announce(planned(at(28, 1), indicator_id=indicator))


def test_of_two_people_who_change_one_at_once_the_second_is_told(announced, acting):
    made = announced(at(28, 1))
    with acting():
        actions.change(queries.exclusion(made), planned(at(28, 1), title="Mine"), seen=1)
    with acting("reviewer"), pytest.raises(Stale, match="Someone else changed MNT-"):
        actions.change(queries.exclusion(made), planned(at(28, 1), title="Theirs"), seen=1)
    with acting(read_only=True):
        assert queries.exclusion(made).title == "Mine"


def test_other_times_are_a_new_announcement(announced, acting, counted, state_of, told, decide):
    made = announced(at(29, 1))
    with clock.frozen(at(27, 12)):
        with acting():
            actions.change(queries.exclusion(made), planned(at(29, 1), title="Upgrade"), seen=1)
        assert state_of(made) == "approved", "its title is no time"
        with acting():
            actions.change(queries.exclusion(made), planned(at(29, 1), 4), seen=2)
        assert state_of(made) == "proposed" and counted() == 0
        assert told[-1].span == Span(at(29, 1), at(29, 3)) and told[-1].what == "changed"
        decide(made)
        assert counted() == 240 and told[-1].span == Span(at(29, 1), at(29, 5))


def test_what_has_started_keeps_its_times(announced, acting):
    made = announced(at(28, 1))
    with clock.frozen(at(28, 2)), acting():
        row = queries.exclusion(made)
        with pytest.raises(DomainError, match="has started"):
            actions.change(row, planned(at(28, 1), 1), seen=1)
        actions.change(row, planned(at(28, 1), title="Renamed"), seen=1)


def test_an_edit_voids_the_request_and_asks_again(announced, acting, state_of, decide, counted):
    made = announced(at(20, 1))
    with acting():
        row = queries.exclusion(made)
        first = queries.open_request(row)
        first_id, shown = first.id, kinds.fingerprint_seen(first)
        actions.change(row, planned(at(20, 1), 1), seen=row.revision)
    with acting("reviewer"), pytest.raises(DomainError, match="already voided"):
        approvals.approve(requests.approval(first_id), seen=shown)
    decide(made)
    assert counted() == 60


def test_before_the_start_one_person_withdraws(announced, acting, counted, state_of, told):
    made = announced(at(28, 1))
    with acting():
        with pytest.raises(Invalid, match="Enter a reason"):
            actions.withdraw(queries.exclusion(made), reason=" ")
        actions.withdraw(queries.exclusion(made), reason="Not needed.")
        actions.withdraw(queries.exclusion(made), reason="Twice.")
    assert state_of(made) == "withdrawn" and counted() == 0
    assert [each.what for each in told] == ["announced", "withdrawn"]


def test_after_the_start_another_person_has_to_approve_the_withdrawal(
    announced, acting, counted, state_of, decide, told
):
    made = announced(at(28, 1))
    with clock.frozen(at(29, 1)):
        with acting():
            actions.withdraw(queries.exclusion(made), reason="It didn't happen.")
            actions.withdraw(queries.exclusion(made), reason="Twice.")
        assert state_of(made) == "approved" and counted() == 120
        decide(made)
        assert state_of(made) == "withdrawn" and counted() == 0
        with acting("admin", read_only=True):
            actions_taken = session().scalars(
                select(AuditEntry.action).where(AuditEntry.target_id == made)
            )
            assert set(actions_taken) == {"exclusion.announced", "exclusion.withdrawn"}
    assert told[-1].what == "withdrawn"


def test_a_proposed_one_is_withdrawn_with_its_request(announced, acting, state_of, told):
    made = announced(at(20, 1))
    with acting():
        actions.withdraw(queries.exclusion(made), reason="Wrong day.")
        assert queries.open_request(queries.exclusion(made)) is None
    assert state_of(made) == "withdrawn" and told == []


def test_ending_a_series_keeps_what_has_passed(announced, acting, counted):
    made = announced(at(28, 1), rrule="FREQ=DAILY;COUNT=300")
    assert counted() == 360
    with clock.frozen(at(28, 2)), acting():
        with pytest.raises(DomainError):
            actions.end_series(queries.exclusion(announced(at(29, 12), 1)))
        actions.end_series(queries.exclusion(made))
        with pytest.raises(DomainError, match="no further occurrences"), clock.frozen(at(29, 9)):
            actions.end_series(queries.exclusion(made))
    assert counted() == 120


def test_a_tenant_that_moves_keeps_the_times_that_it_announced(announced, acting, database):
    from governance.foundation.tenants.models import Tenant

    made = announced(at(28, 1), rrule="FREQ=DAILY;COUNT=2")
    with acting("admin") as who:
        session().get_one(Tenant, who.tenant_id).time_zone = "America/New_York"
    later = announced(at(28, 12), rrule="FREQ=DAILY;COUNT=2")
    with acting(read_only=True):
        assert queries.exclusion(made).time_zone == "Europe/Berlin"
        assert queries.exclusion(later).time_zone == "America/New_York"
        assert [e.span.start for e in queries.exclusions(MONTH)][::2] == [at(28, 1), at(29, 1)]


def test_the_effect_is_counted_and_no_count_changes(announced, acting, database, now):
    indicator = measurement_helpers.defined("downtime", "downtime")
    with acting():
        from governance.operations.measurements import actions as measuring
        from governance.operations.measurements import queries as measured

        start = at(25, 10)
        rows = [(indicator, start + timedelta(minutes=n), 0 if n < 4 else 5, 5) for n in range(30)]
        measuring.store(rows)
        whole = Span(start, start + timedelta(hours=1))
        before = measured.counts(indicator, [whole])
        row = actions.announce(planned(start, 1))
        [hidden] = effect.of(queries.series_of(row), row.system_id, row.indicator_id)
        assert (hidden.minutes, hidden.known_minutes, hidden.lost) == (60, 30, 4)
        assert hidden.lost_words == "4 minutes"
        assert measured.counts(indicator, [whole]) == before


def test_webhooks_hear_of_it(announced, acting, database):
    from governance.foundation.webhooks import actions as webhooks

    with acting("admin"):
        webhooks.add(name="Calendar", url="http://127.0.0.1:9/x", events=["maintenance.announced"])
    announced(at(28, 1))
    with acting("admin", read_only=True):
        [body] = session().scalars(select(WebhookDelivery.body))
        assert '"starts_at":"2026-11-28T01:00:00Z"' in body and "new version" not in body


def test_upcoming_lists_occurrences_of_maintenance_by_start(announced, acting):
    announced(at(28, 1), rrule="FREQ=WEEKLY;COUNT=9")
    announced(at(29, 1), is_customer_visible=False)
    with acting("viewer", read_only=True):
        found = queries.upcoming(3)
        assert [e.span.start for e in found] == [at(28, 1), at(29, 1), at(5, 1, month=12)]
        assert len(queries.upcoming(3, visible_only=True)) == 3
        assert all(e.exclusion.is_customer_visible for e in queries.upcoming(9, visible_only=True))
