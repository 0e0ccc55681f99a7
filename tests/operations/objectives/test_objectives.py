"""Objectives: create, change and retire; versions, staleness, and log entries."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid, NotFound, Stale
from governance.kernel.months import Month, month_span
from governance.operations.measurements import actions as measuring
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import actions, queries
from tests import make
from tests.operations.objectives.objective_helpers import define, objective

OFFICE = {"days": {"mon": [["09:00", "17:00"]]}}


def entries(of) -> list[AuditEntry]:
    query = select(AuditEntry).where(AuditEntry.target_id == of.id).order_by(AuditEntry.id)
    return list(session().scalars(query))


def test_a_new_objective_has_version_1_and_an_entry_in_the_log(acting, database):
    with acting():
        found = objective(target=Decimal("0.99953"), owner_id=make.person_id("reviewer"))
        version = queries.versions(found.id)[0]
        assert (found.number, version.number, version.target) == (1, 1, Decimal("0.99953"))
        assert found.target_share == Fraction(99953, 100000)
        assert found.key == "claims-triage-availability"
        (entry,) = entries(found)
        assert entry.action == "objective.created"
        assert entry.facts["target"] == "0.99953"
        assert "Jun Chen" not in str(entry.facts)


def test_an_edit_makes_the_next_version_and_keeps_the_earlier_ones(acting, database):
    with acting():
        found = objective()
        made = actions.change(
            found, seen=1, reason="Tighter", target=Decimal("0.999"), service_hours=OFFICE
        )
        assert made is not None and made.number == found.number == 2
        newest, first = queries.versions(found.id)
        assert (first.target, first.service_hours) == (Decimal("0.995"), None)
        assert (newest.target, newest.service_hours) == (Decimal("0.999"), OFFICE)
        assert newest.reason == "Tighter"
        assert newest.by == make.person_id("compliance_officer")


def test_an_edit_on_an_old_version_is_stale_and_says_what_changed(acting, database):
    with acting():
        found = objective()
        actions.change(found, seen=1, reason="Tighter", target=Decimal("0.999"))
        with pytest.raises(Stale, match="Someone else saved version 2") as stale:
            actions.change(found, seen=1, reason="Other", target=Decimal("0.997"))
        assert stale.value.changes["target"] == (Decimal("0.997"), Decimal("0.999"))
        assert found.number == 2


def test_a_lower_target_needs_one_person_and_is_recorded_as_loosened(acting, database):
    with acting():
        found = objective()
        actions.change(found, seen=1, reason="Vendor is slow", target=Decimal("0.99"))
        actions.change(found, seen=2, reason="Back", target=Decimal("0.995"))
        names = [entry.action for entry in entries(found)]
    assert names == ["objective.created", "objective.loosened", "objective.changed"]


@pytest.mark.parametrize(
    ("change", "is_looser"),
    [
        ({"target": Decimal("0.99")}, True),
        ({"target": Decimal("0.999")}, False),
        ({"minimum_coverage": Decimal("0.5")}, True),
        ({"service_hours": OFFICE}, True),
        ({"window_days": 28}, False),
        ({"window": "calendar"}, False),
    ],
)
def test_loosening_is_a_lower_target_or_coverage_or_fewer_hours(change, is_looser):
    before = actions.checked_definition(
        target=Decimal("0.995"),
        window="rolling",
        window_days=30,
        service_hours=None,
        minimum_coverage=Decimal("0.95"),
        rules=None,
    )
    assert actions.loosens(before, before | change) is is_looser


def test_name_and_owner_change_without_a_version(acting, database):
    with acting():
        found = objective()
        changed = actions.change(
            found, seen=1, name="Triage answers", owner_id=make.person_id("viewer")
        )
        assert changed is None and found.number == 1
        assert found.name == "Triage answers"
        assert [e.action for e in entries(found)] == ["objective.created", "objective.edited"]
        assert actions.change(found, seen=1, name="Triage answers") is None
        assert len(entries(found)) == 2


def test_a_new_version_needs_a_reason(acting, database):
    with acting():
        found = objective()
        with pytest.raises(Invalid, match="Enter a reason"):
            actions.change(found, seen=1, target=Decimal("0.9"))


def test_a_retired_objective_leaves_the_list_and_stays_readable(acting, database):
    with acting():
        found = objective()
        actions.retire(found, reason="Replaced")
        assert queries.active_objectives() == []
        assert queries.objective(found.id).is_retired
        with pytest.raises(actions.AlreadyRetired):
            actions.change(found, seen=1, reason="r", target=Decimal("0.9"))
        with pytest.raises(actions.AlreadyRetired):
            actions.retire(found, reason="Again")
        assert objective(found.indicator_id).key == "claims-triage-availability-2"


def test_another_tenants_objective_is_not_found(acting, database):
    with acting():
        mine = objective()
        mine_id, indicator_id = mine.id, mine.indicator_id
    with acting("admin", "globex"):
        with pytest.raises(NotFound):
            queries.objective(mine_id)
        with pytest.raises(NotFound):
            objective(indicator_id)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"target": Decimal(1)}, "target"),
        ({"target": Decimal(0)}, "target"),
        ({"target": Decimal("-0.1")}, "target"),
        ({"target": Decimal("NaN")}, "target"),
        ({"target": Decimal("0.9999999999999999")}, "target"),
        ({"window": "weekly"}, "window"),
        ({"window_days": 0}, "window_days"),
        ({"window_days": 367}, "window_days"),
        ({"minimum_coverage": Decimal("1.01")}, "minimum_coverage"),
        ({"service_hours": {"days": {}}}, "service_hours"),
        ({"name": "  "}, "name"),
        ({"name": "n" * 121}, "name"),
        ({"kind_note": "n" * 121}, "kind_note"),
        ({"key": "Not A Slug"}, "key"),
        ({"reason": "r" * 2001}, "reason"),
    ],
)
def test_a_definition_that_nobody_can_mean_is_refused(acting, database, changes, field):
    with acting(), pytest.raises(Invalid) as refused:
        objective(**changes)
    assert refused.value.field == field


def test_an_owner_is_a_member_and_an_indicator_is_live(acting, database):
    with acting():
        with pytest.raises(Invalid, match="Choose a member"):
            objective(owner_id=make.person_id("admin", "globex"))
        indicator_id = define("second")
        measuring.retire(measurements.indicator(indicator_id), reason="Gone")
        with pytest.raises(Invalid, match="retired"):
            objective(indicator_id)


def test_two_objectives_dont_have_one_name(acting, database):
    with acting():
        first = objective()
        with pytest.raises(actions.NameTaken):
            objective(first.indicator_id)
        second = objective(first.indicator_id, name="Another")
        with pytest.raises(actions.NameTaken):
            actions.change(second, seen=1, name=first.name)


# ---- the tenant's time zone


def test_a_tenant_begins_with_one_period_and_each_move_adds_one(acting, database):
    with acting("admin") as who:
        tenant = session().get(Tenant, who.tenant_id)
        before = zone_periods()
        assert [period.zone for period in before] == [tenant.time_zone]
        with clock.frozen(clock.now() + timedelta(days=1)):
            tenants.change_settings(tenant, time_zone="Pacific/Auckland")
            tenants.change_settings(tenant, name="Acme II")
            tenants.change_settings(tenant, time_zone="Asia/Kolkata")  # Within the same minute.
        assert [period.zone for period in zone_periods()] == ["Europe/Berlin", "Asia/Kolkata"]
    with acting("admin", "globex"):
        assert [period.zone for period in zone_periods()] == ["Europe/Berlin"]


def test_a_move_leaves_earlier_months_as_they_were_counted(acting, database):
    october = Month(2026, 10)
    with acting("admin") as who:
        before = month_span(zone_periods(), october)
        tenant = session().get(Tenant, who.tenant_id)
        with clock.frozen(datetime(2026, 12, 10, 12, 0, 30, tzinfo=UTC)):
            tenants.change_settings(tenant, time_zone="Pacific/Auckland")
        zones = zone_periods()
        assert zones[-1].since == datetime(2026, 12, 10, 12, 0, tzinfo=UTC)
        assert month_span(zones, october) == before
        december = month_span(zones, Month(2026, 12))
        assert december.minutes == 31 * 1440 - 12 * 60
        assert december.start - month_span(zones, Month(2026, 11)).end == timedelta(0)
    assert current.actor_or_none() is None
