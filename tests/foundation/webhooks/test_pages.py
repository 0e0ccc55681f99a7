"""Pages of webhooks: endpoints, deliveries, replays and permissions."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from governance.foundation.webhooks import actions, queries
from governance.kernel import clock
from tests.conftest import visitor
from tests.foundation.webhooks.receiver import Receiver

FORM = {"name": "Paging", "events": ["alert.fired", "alert.resolved"]}


def test_an_admin_adds_an_endpoint_and_sees_its_secret_once(as_admin, as_officer, database):
    with Receiver().serving() as receiver:
        once = str(uuid4())
        page = as_admin.post("settings/webhooks/new", then=201, url=receiver.url, once=once, **FORM)
        secret = re.search(r"whsec_[A-Za-z0-9+/=]+", page.text)
        assert secret and "verify" in page.text
        again = as_admin.post("settings/webhooks/new", url=receiver.url, once=once, **FORM)
        assert again.location.endswith("/settings/webhooks")
    listed = as_officer.get("settings/webhooks").text
    assert "1 webhook endpoint" in listed and secret[0] not in listed
    assert "alert.fired, alert.resolved" in listed and "when an alert fires" not in listed
    assert "Add endpoint" not in listed


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("url", "http://hooks.example/x", "isn&#39;t an https address"),
        ("url", "https://127.0.0.1/x", "on a private network"),
        ("events", ["no.such"], "Choose at least one type"),
        ("events", [], "Choose at least one type of event."),
        ("name", "x" * 81, "longer than 80"),
        ("name", " ", "Enter a name."),
    ],
)
def test_what_is_wrong_with_an_endpoint_is_said_beside_its_field(
    as_admin, database, field, value, sentence
):
    form = {**FORM, "url": "https://127.0.0.1/x", field: value}
    page = as_admin.post("settings/webhooks/new", then=422, **form)
    assert sentence in page.text or "not a valid choice" in page.text.lower()


def test_two_names_can_not_be_the_same(endpoint, as_admin):
    form = {**FORM, "name": "paging", "url": endpoint.receiver.url}
    assert (
        "Another endpoint is named" in as_admin.post("settings/webhooks/new", then=422, **form).text
    )


def test_of_two_people_who_edit_at_once_the_second_one_sees_what_the_first_one_saved(
    endpoint, as_admin
):
    address = f"settings/webhooks/{endpoint.id}/edit"
    form = {**FORM, "url": endpoint.receiver.url, "seen": "1"}
    as_admin.post(address, **{**form, "name": "On call"})
    refused = as_admin.post(address, then=409, **{**form, "name": "Tickets"}).text
    assert "Someone else changed this endpoint" in refused and "On call" in refused
    assert endpoint.row().name == "On call"
    as_admin.post(address, **{**form, "name": "Tickets", "seen": "2"})
    assert endpoint.row().name == "Tickets"


def test_the_pages_show_deliveries_with_their_payload_and_attempts(endpoint_of, as_officer):
    with Receiver(500, 204, body=b"<b>busy</b>").serving() as receiver:
        endpoint = endpoint_of(receiver)
        endpoint.happen(ref="ALR-9")
        endpoint.work()
        address = f"settings/webhooks/{endpoint.id}"
        page = as_officer.get(address).text
        assert "Retrying" in page and "It answered 500." in page and "Failing" in page
        assert "alert.fired" in as_officer.get(f"{address}?state=queued").text
        assert "No deliveries match" in as_officer.get(f"{address}?state=dead").text
        one = f"{address}/deliveries/{endpoint.delivery.id}"
        page = as_officer.get(one).text
        assert "ALR-9" in page and "&lt;b&gt;busy" in page and endpoint.delivery.message_id in page
        with clock.frozen(clock.now() + timedelta(seconds=9)):
            endpoint.work()
        assert "Delivered" in as_officer.get(one).text
        as_officer.post(f"{one}/replay")
        endpoint.work()
    assert len(set(receiver.ids)) == 1 and len(receiver.requests) == 3


def test_a_test_event_is_sent_whatever_the_endpoint_subscribes_to(endpoint, as_officer):
    reply = as_officer.post(f"settings/webhooks/{endpoint.id}/test")
    endpoint.work()
    assert endpoint.receiver.verified(endpoint.secret)["type"] == "webhook.test"
    assert "A test of the endpoint." in as_officer.get(reply.location).text


def test_rotating_disabling_and_removing(endpoint, as_admin):
    address = f"settings/webhooks/{endpoint.id}"
    as_admin.get(f"{address}/rotate")
    page = as_admin.post(f"{address}/rotate", then=201, seen="1").text
    assert "two signatures" in page and endpoint.secret not in page
    assert as_admin.post(f"{address}/rotate", seen="1").location.endswith(str(endpoint.id))
    as_admin.post(f"{address}/disable")
    assert "A person disabled it." in as_admin.get(address).text
    as_admin.post(f"{address}/test", then=409)
    as_admin.post(f"{address}/enable")
    endpoint.happen()
    as_admin.post(f"{address}/disable")
    as_admin.post(f"{address}/enable")
    assert "1 dead letter" in as_admin.get(address).text
    as_admin.post(f"{address}/replay")
    endpoint.work()
    assert endpoint.delivery.state == "delivered"
    as_admin.get(f"{address}/removal")
    as_admin.post(f"{address}/removal")
    as_admin.get(address, then=404)
    assert endpoint.happen() == []


def test_others_may_look_or_may_not(endpoint, as_officer, as_contributor, as_auditor, as_stranger):
    address = f"settings/webhooks/{endpoint.id}"
    as_officer.get(address)
    for verb in ("disable", "enable", "rotate", "removal"):
        as_officer.post(f"{address}/{verb}", then=403)
    as_officer.get("settings/webhooks/new", then=403)
    for person in (as_contributor, as_auditor):
        person.get("settings/webhooks", then=403)
        person.post(f"{address}/test", then=403)
    as_stranger.get(address, then=404)
    as_stranger.post(f"{address}/replay", then=404)


def test_the_operators_admin_manages_the_operators_own_endpoints(
    app, endpoint, acting, as_operator, as_admin
):
    """Give the page to operator admins only: budget alerts go there.

    Finance and admins of customers have no such page.
    """
    form = {"name": "Budgets", "events": ["cost_budget.reached"], "url": endpoint.receiver.url}
    as_operator.get("settings/webhooks/new")
    as_operator.post("settings/webhooks/new", then=201, once=str(uuid4()), **form)
    assert "1 webhook endpoint" in as_operator.get("settings/webhooks").text
    with acting("operator_admin", "console"):
        [own] = queries.endpoints()
        address = f"settings/webhooks/{own.id}"
        [queued] = actions.send("cost_budget.reached", {"name": "Acme"})
    as_operator.get(f"{address}/deliveries/{queued}")
    as_operator.post(f"{address}/test")
    as_operator.post(f"{address}/disable")
    finance = visitor(app, "operator_finance", "console")
    finance.get("settings/webhooks", then=403)
    finance.post(f"{address}/enable", then=403)
    as_admin.get(address, then=404)
    as_operator.get(f"settings/webhooks/{endpoint.id}", then=404)


def test_another_tenants_ids_are_not_found(endpoint, acting, as_neighbour):
    endpoint.happen()
    address = f"settings/webhooks/{endpoint.id}"
    for path in (address, f"{address}/deliveries/{endpoint.delivery.id}"):
        as_neighbour.get(path, then=404)
    as_neighbour.post(f"{address}/deliveries/{endpoint.delivery.id}/replay", then=404)
    with acting("admin", "globex"):
        own, _ = actions.add(name="Own", url=endpoint.receiver.url, events=["alert.fired"])
        own_id = own.id
    path = f"settings/webhooks/{own_id}/deliveries/{endpoint.delivery.id}"
    as_neighbour.get(path, then=404)


def test_a_tenant_has_twenty_endpoints_at_most(acting, database):
    with Receiver().serving() as receiver, acting("admin"):
        for n in range(queries.MAX_ENDPOINTS):
            actions.add(name=f"Endpoint {n}", url=receiver.url, events=["alert.fired"])
        with pytest.raises(Exception, match="20 webhook endpoints at most"):
            actions.add(name="One more", url=receiver.url, events=["alert.fired"])
