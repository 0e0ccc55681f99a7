"""Deliveries to a receiver that verifies them; failed ones are retried and kept."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from standardwebhooks import Webhook, WebhookVerificationError

from governance.foundation.audit.models import AuditEntry
from governance.foundation.webhooks import (
    actions,
    delivery,
    delivery_actions,
    event_types,
    jobs,
    queries,
    retries,
)
from governance.foundation.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookTicket
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, Invalid, NotFound, Stale
from governance.kernel.safety import key_encryption, outbound_http
from tests import make
from tests.foundation.webhooks.receiver import Receiver
from tests.waiting import MAX_WAIT_SECONDS


def test_a_receiver_verifies_the_message_and_reads_what_happened(endpoint):
    endpoint.happen(ref="ALR-7", burn="14.4")
    endpoint.work()
    event = endpoint.receiver.verified(endpoint.secret)
    assert event["type"] == "alert.fired" and event["data"] == {"ref": "ALR-7", "burn": "14.4"}
    assert event["timestamp"].endswith("Z")
    [(headers, body)] = endpoint.receiver.requests
    assert headers["Content-Type"] == "application/json"
    assert endpoint.delivery.state == "delivered" and endpoint.delivery.body == body.decode()
    assert endpoint.row().succeeded_at is not None
    with pytest.raises(WebhookVerificationError):
        Webhook(delivery.new_secret()).verify(body, headers)


def test_the_signature_is_that_of_the_published_example():
    """Reproduce the example of the Standard Webhooks specification."""
    from datetime import UTC, datetime

    message = delivery.Message(
        "https://x.example",
        "x",
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        '{"test": 2432232314}',
    )
    headers = delivery.headers_of(message, datetime.fromtimestamp(1614265330, UTC))
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_nothing_is_sent_before_the_commit_nor_after_a_rollback(endpoint, acting):
    with pytest.raises(ZeroDivisionError), acting("admin"):
        actions.send("alert.fired", {"ref": "ALR-1"})
        raise ZeroDivisionError
    endpoint.work()
    assert endpoint.receiver.requests == [] and endpoint.deliveries() == []


def test_only_what_an_endpoint_subscribes_to_is_queued_for_it(endpoint, acting):
    assert endpoint.happen("incident.declared") == []
    assert len(endpoint.happen("alert.fired")) == 1
    with acting("admin", "globex"):
        assert actions.send("alert.fired", {}) == []
    with acting("admin"), pytest.raises(LookupError):
        actions.send("no.such_type", {})
    with pytest.raises(ValueError, match="of the form"):
        event_types.register("Alert fired", "x")


def test_a_message_that_would_be_too_large_is_refused_where_it_is_made(endpoint, acting):
    with acting("admin"), pytest.raises(ValueError, match="is over"):
        actions.send("alert.fired", {"text": "x" * 70_000})


def test_a_500_is_retried_with_the_same_id_until_it_is_accepted(endpoint_of):
    with Receiver(500, 503, 200, body=b"busy\x00\x1b[31m").serving() as receiver:
        endpoint = endpoint_of(receiver)
        endpoint.happen()
        start = clock.now()
        for wait in (0, 2, 10, 60, 400):
            with clock.frozen(start + timedelta(seconds=wait)):
                endpoint.work()
    assert len(receiver.requests) == 3 and len(set(receiver.ids)) == 1
    assert [body for _, body in receiver.requests] == [receiver.requests[0][1]] * 3
    assert endpoint.delivery.state == "delivered"
    assert [(a.number, a.status, a.finding) for a in reversed(endpoint.attempts())] == [
        (1, 500, "It answered 500."),
        (2, 503, "It answered 503."),
        (3, 200, ""),
    ]
    assert endpoint.attempts()[0].response == "busy[31m"
    assert endpoint.row().failing_since is None


def test_a_receiver_that_is_down_ends_as_a_dead_letter_which_is_replayed_with_its_id(endpoint_of):
    with Receiver(500).serving() as receiver:
        endpoint = endpoint_of(receiver)
        endpoint.happen()
        at = clock.now()
        for delay in (timedelta(0), *retries.DELAYS):
            at += delay * (1 + retries.JITTER) + timedelta(seconds=1)
            with clock.frozen(at):
                endpoint.work()
        dead = endpoint.delivery
        assert (dead.state, dead.attempts, dead.next_at) == ("dead", retries.MAX_ATTEMPTS, None)
        with endpoint.acting("admin"):
            [entry] = session().scalars(
                select(AuditEntry).where(AuditEntry.action == "webhook.delivery.failed")
            )
            assert entry.facts["attempts"] == retries.MAX_ATTEMPTS
            assert session().scalar(select(func.count()).select_from(WebhookTicket)) == 0
        receiver.statuses = [204]
        with endpoint.acting():
            delivery_actions.replay(queries.delivery(dead.id))
            delivery_actions.replay(queries.delivery(dead.id))  # The second of two clicks.
        endpoint.work()
    assert len(receiver.requests) == retries.MAX_ATTEMPTS + 1 and len(set(receiver.ids)) == 1
    assert endpoint.delivery.state == "delivered" and endpoint.delivery.replayed_by is not None


def test_dead_letters_are_replayed_in_bulk_oldest_first(endpoint_of):
    with Receiver(204).serving() as receiver:
        endpoint = endpoint_of(receiver)
        for n in range(3):
            endpoint.happen(n=n)
        with endpoint.acting("admin"):
            actions.disable(queries.endpoint(endpoint.id))
        assert [d.state for d in endpoint.deliveries()] == ["dead"] * 3
        with endpoint.acting(), pytest.raises(DomainError, match="is disabled"):
            delivery_actions.replay_dead(queries.endpoint(endpoint.id))
        with endpoint.acting("admin"):
            actions.enable(queries.endpoint(endpoint.id))
        with endpoint.acting():
            assert delivery_actions.replay_dead(queries.endpoint(endpoint.id)) == 3
        endpoint.work()
    sent = [json.loads(body)["data"]["n"] for _, body in receiver.requests]
    assert sent == [0, 1, 2]
    assert {d.state for d in endpoint.deliveries()} == {"delivered"}


def test_410_disables_the_endpoint_and_keeps_what_was_queued(endpoint_of):
    with Receiver(410).serving() as receiver:
        endpoint = endpoint_of(receiver)
        endpoint.happen()
        endpoint.happen()
        endpoint.work()
    assert len(receiver.requests) == 1
    assert endpoint.row().disabled_reason == "gone"
    assert [d.state for d in endpoint.deliveries()] == ["dead", "dead"]
    assert endpoint.happen() == []


def test_an_endpoint_that_fails_for_five_days_is_disabled_and_lands_in_the_inbox(
    endpoint_of, as_admin, as_officer
):
    with Receiver(500).serving() as receiver:
        endpoint, start = endpoint_of(receiver), clock.now() - timedelta(days=6)
        with clock.frozen(start):
            endpoint.happen()
            endpoint.work()
        assert endpoint.row().failing_since == start
        endpoint.work()
    assert endpoint.row().disabled_reason == "failing"
    assert "Webhook endpoint Paging was disabled" in as_admin.get("inbox/").text
    assert "Webhook endpoint Paging" not in as_officer.get("inbox/").text
    as_admin.post(f"settings/webhooks/{endpoint.id}/enable")
    assert "Webhook endpoint Paging was disabled" not in as_admin.get("inbox/").text


def test_redirects_are_not_followed(endpoint_of):
    with Receiver(204).serving() as other:
        with Receiver(302, Location=other.url).serving() as receiver:
            endpoint = endpoint_of(receiver)
            endpoint.happen()
            endpoint.work()
        assert other.requests == []
    assert "doesn't follow redirects" in endpoint.delivery.finding
    assert endpoint.delivery.state == "queued"


def test_a_private_address_is_refused_by_name_when_it_is_added_and_when_it_is_called(
    endpoint, acting
):
    for url in ("https://localhost/hook", "https://10.0.0.7/hook", "https://[::1]/hook"):
        with acting("admin"), pytest.raises(Invalid) as refused:
            actions.add(name="Inside", url=url, events=["alert.fired"])
        assert refused.value.field == "url" and "private network" in refused.value.message
    for url in ("http://hooks.example/x", "ftp://hooks.example", "https://a b.example", "x" * 501):
        with acting("admin"), pytest.raises(Invalid):
            actions.add(name="Odd", url=url, events=["alert.fired"])
    with acting("admin"):  # A name that resolves to another address the second time.
        row = session().get_one(WebhookEndpoint, (make.actor("admin").tenant_id, endpoint.id))
        row.url = "https://localhost/hook"
    endpoint.happen()
    endpoint.work()
    assert endpoint.delivery.finding == (
        "localhost is on a private network. Meridian connects to public addresses only."
    )
    assert endpoint.receiver.requests == []


def test_a_slow_receiver_is_given_up_on_and_retried(endpoint_of, monkeypatch):
    monkeypatch.setattr(outbound_http, "TIMEOUT_SECONDS", (1, 0.2))
    with Receiver(204, seconds=0.6).serving() as receiver:
        endpoint = endpoint_of(receiver)
        endpoint.happen()
        endpoint.work()
    assert endpoint.delivery.finding == "The receiver didn't respond in time."
    assert (endpoint.delivery.state, endpoint.delivery.attempts) == ("queued", 1)


def test_killed_between_sending_and_the_commit_it_is_sent_again_with_the_same_id(endpoint):
    endpoint.happen()
    with transaction():
        held = delivery_actions.claim()
    who = make.system_actor("acme")
    with current.acting_as(who):
        with transaction(read_only=True):
            message = delivery_actions.prepare(held)
        late = delivery.post(message)  # Here the process ends.
    endpoint.work()
    assert len(endpoint.receiver.requests) == 1, "its lease has not ended"
    with clock.frozen(clock.now() + delivery_actions.LEASE + timedelta(seconds=1)):
        endpoint.work()
    assert len(endpoint.receiver.requests) == 2 and len(set(endpoint.receiver.ids)) == 1
    assert endpoint.delivery.state == "delivered"
    with current.acting_as(who), transaction():
        delivery_actions.record_attempt(held, late)  # It lives after all, and is too late.
    assert len(endpoint.attempts()) == 1


def test_two_signatures_for_a_day_after_a_rotation(endpoint, acting):
    with acting("admin"):
        row = queries.endpoint(endpoint.id)
        new = actions.rotate(row, seen=row.revision)
        with pytest.raises(Stale):
            actions.rotate(row, seen=row.revision - 1)
    endpoint.happen()
    endpoint.work()
    assert endpoint.receiver.verified(endpoint.secret) == endpoint.receiver.verified(new)
    with clock.frozen(clock.now() + timedelta(hours=25)), acting("admin"):
        assert actions.secrets_of(queries.endpoint(endpoint.id)) == [new]


def test_secrets_are_stored_encrypted_and_rotated_with_the_installations_key(endpoint, acting):
    with acting("admin"):
        row = queries.endpoint(endpoint.id)
        assert endpoint.secret.startswith("whsec_") and endpoint.secret.encode() not in row.secret
        columns = [h for h in key_encryption.holdings if h.model is WebhookEndpoint]
        assert {h.column for h in columns} == {"secret", "previous_secret"}
        assert key_encryption.service().rewrap(row.secret, columns[0].context(row)) is None


def test_the_payload_stays_as_it_was(endpoint, acting):
    data = {"ref": "ALR-1", "at": clock.now()}
    with acting("admin"):
        actions.send("alert.fired", data)
    data["ref"] = "changed"
    endpoint.work()
    assert endpoint.receiver.verified(endpoint.secret)["data"]["ref"] == "ALR-1"


def test_deliveries_of_another_tenant_are_not_found(endpoint, acting):
    endpoint.happen()
    with acting("admin", "globex"):
        for read in (
            lambda: queries.endpoint(endpoint.id),
            lambda: queries.delivery(endpoint.delivery.id),
        ):
            with pytest.raises(NotFound):
                read()


def test_old_deliveries_are_deleted_and_what_is_queued_is_kept(endpoint, acting):
    with clock.frozen(clock.now() - timedelta(days=91)):
        endpoint.happen()
        endpoint.work()
        with acting("admin"):
            delivery_actions.send_test(queries.endpoint(endpoint.id))
    endpoint.happen()
    jobs.forget_old()
    assert sorted(d.state for d in endpoint.deliveries()) == ["queued", "queued"]


@given(st.integers(1, retries.MAX_ATTEMPTS + 2), st.floats(0, 1))
def test_each_delay_is_near_its_schedule_and_the_last_attempt_has_none(attempt, chance):
    delay = retries.delay_after(attempt, chance)
    if attempt >= retries.MAX_ATTEMPTS:
        assert delay is None
    else:
        usual = retries.DELAYS[attempt - 1]
        assert delay is not None and abs(delay - usual) <= usual * 0.101


@given(st.binary(max_size=3000))
def test_a_stored_answer_is_short_text_without_control_characters(content):
    text = delivery.shown(content)
    assert len(text) <= delivery.MAX_RESPONSE_LENGTH and "\0" not in text
    text.encode()


def test_two_job_processes_at_once_send_it_once(committed_world):
    import threading

    with Receiver(204, seconds=0.05).serving() as receiver:
        with make.acting("admin", "globex"):
            actions.add(name="Paging", url=receiver.url, events=["alert.fired"])
            for n in range(6):
                actions.send("alert.fired", {"n": n})
        start = threading.Barrier(3)

        def process():
            start.wait(MAX_WAIT_SECONDS)
            jobs.send_due(side_by_side=1)

        threads = [threading.Thread(target=process) for _ in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join(MAX_WAIT_SECONDS)
        jobs.send_due(side_by_side=2)
        assert len(receiver.requests) == 6 == len(set(receiver.ids))
    with make.acting("admin", "globex"):
        states = session().scalars(select(WebhookDelivery.state)).all()
    assert set(states) == {"delivered"}


def test_the_example_in_the_docs_verifies_a_message_and_rejects_others(endpoint):
    text = (Path(__file__).parents[3] / "docs/operating/webhooks.md").read_text()
    [source] = [b for b in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "def verify" in b]
    example = {}
    exec(compile(source, "webhooks.md", "exec"), example)
    endpoint.happen(ref="ALR-3")
    endpoint.work()
    [(headers, body)] = endpoint.receiver.requests
    assert example["verify"](endpoint.secret, headers, body)["data"] == {"ref": "ALR-3"}
    for wrong in (
        {"webhook-timestamp": "1"},
        {"webhook-id": "msg_other"},
        {"webhook-signature": "v1,x v2,y"},
    ):
        with pytest.raises(ValueError, match="too old|wrong signature"):
            example["verify"](endpoint.secret, {**headers, **wrong}, body)
