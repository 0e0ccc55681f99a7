"""Domain events: handled in the same transaction and a fixed order, by at least one subscriber.

An error in a subscriber rolls everything back.
"""

import re
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from governance.foundation.audit.models import AuditEntry
from governance.foundation.tenants.events import TimeZoneChanged
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.work import events
from governance.kernel.work.events import (
    Event,
    NoSubscriber,
    check_subscribed,
    publish,
    subscribe,
    subscribers,
)
from tests import faults


@dataclass(frozen=True, slots=True)
class Rang(Event):
    bell: str


@pytest.fixture(autouse=True)
def own_subscribers():
    """Restore the subscribers after each test."""
    with faults.restored(events._subscribers):
        yield


def settings_form(visitor, acting, slug="acme", role="admin"):
    """Return the current settings, with the revision of the page that shows them."""
    mark = re.search(r'name="mark"[^>]*value="([^"]+)"', visitor.get("settings/").text)[1]
    with acting(role, slug):
        held = session().get(Tenant, current.actor().tenant_id)
        names = ("name", "region", "unit", "classification", "audience", "time_zone")
        return {"mark": mark} | {name: getattr(held, name) for name in names}


def test_subscribers_run_in_their_stated_order_within_the_transaction(acting):
    heard = []
    subscribe(Rang, lambda rang: heard.append(("last", rang.bell)), order=90)
    subscribe(Rang, lambda rang: heard.append(("first", rang.bell)), order=10)
    subscribe(Rang, lambda rang: heard.append(("middle", rang.bell)))
    subscribe(Rang, lambda rang: heard.append(("middle, subscribed later", rang.bell)))
    with acting("admin") as who:
        work = session()
        subscribe(
            Rang, lambda _rang: heard.append((session() is work, current.actor() == who)), order=99
        )
        publish(Rang("door"))
    assert heard == [
        ("first", "door"),
        ("middle", "door"),
        ("middle, subscribed later", "door"),
        ("last", "door"),
        (True, True),
    ]


def test_subscribing_twice_is_subscribing_once_in_the_first_order(acting):
    heard = []

    def hear(_rang):
        heard.append(1)

    subscribe(Rang, hear, order=20)
    subscribe(Rang, lambda _rang: heard.append(2), order=30)
    subscribe(Rang, hear, order=40)
    with acting("admin"):
        publish(Rang("door"))
    assert heard == [1, 2] and len(subscribers(Rang)) == 2


def test_outside_a_transaction_there_is_nothing_to_be_part_of():
    subscribe(Rang, lambda _rang: None)
    with pytest.raises(LookupError):
        publish(Rang("door"))


def test_an_event_that_nobody_takes_stops_its_publisher_and_the_start(acting):
    with acting("admin"), pytest.raises(NoSubscriber, match="No feature subscribes to Rang"):
        publish(Rang("door"))
    with pytest.raises(NoSubscriber, match="No feature subscribes to Rang"):
        check_subscribed(__name__)
    subscribe(Rang, lambda _rang: None)
    check_subscribed(__name__)


def test_every_event_of_the_product_has_a_subscriber(app, monkeypatch):
    check_subscribed()
    monkeypatch.delitem(events._subscribers, TimeZoneChanged)
    with pytest.raises(NoSubscriber, match="TimeZoneChanged"):
        check_subscribed()


def test_a_subscriber_that_refuses_rolls_everything_back_and_the_person_sees_why(
    as_admin, acting, database
):
    ran = []

    def refuse(changed):
        raise DomainError(f"Fieldwork is under way, so {changed.time_zone} has to wait.")

    subscribe(TimeZoneChanged, ran.append, order=1)
    subscribe(TimeZoneChanged, refuse, order=99)
    sent = settings_form(as_admin, acting)
    page = as_admin.post(
        "settings/", then=422, **sent | {"name": "Acme Mutual", "time_zone": "Pacific/Kiritimati"}
    )
    assert "Fieldwork is under way, so Pacific/Kiritimati has to wait." in page.text
    assert ran == [TimeZoneChanged("Pacific/Kiritimati")]
    with acting("admin"):
        held = session().get(Tenant, current.actor().tenant_id)
        assert (held.name, held.time_zone) == (sent["name"], sent["time_zone"])
        changes = select(AuditEntry.id).where(
            AuditEntry.action.in_(("tenant.settings.changed", "engagement.window.moved"))
        )
        assert session().scalars(changes).all() == []
    as_admin.post("settings/", **sent | {"name": "Acme Mutual"})  # The subscriber gets none of it.


def test_a_subscriber_that_fails_rolls_everything_back_too(as_admin, acting, database):
    def fail(_changed):
        raise RuntimeError("a fault of ours")

    subscribe(TimeZoneChanged, fail, order=99)
    sent = settings_form(as_admin, acting)
    page = as_admin.post("settings/", then=500, **sent | {"time_zone": "Pacific/Kiritimati"})
    assert "Nothing was changed" in page.text and "a fault of ours" not in page.text
    with acting("admin"):
        assert session().get(Tenant, current.actor().tenant_id).time_zone == sent["time_zone"]
