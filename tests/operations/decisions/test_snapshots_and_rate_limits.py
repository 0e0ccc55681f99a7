"""A worker's memory and a key's rate limit.

Memory is bounded, and an unknown tenant is queried only once.
"""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import event, select

from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants import suspension_actions
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.web import rate_limits
from governance.kernel.web.rate_limits import BURST_SECONDS, RateLimiter
from governance.operations.decisions import queries, snapshots
from governance.operations.decisions.flags import DecisionFacts
from governance.operations.decisions.snapshots import Snapshots
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content, EffectivePolicy, Platform
from governance.operations.rollouts import actions as rollout_actions
from governance.operations.rollouts.models import Rollout
from governance.operations.switches import actions as switches
from governance.operations.switches import platform_actions
from governance.operations.switches.models import Stop
from governance.operations.systems import queries as systems
from tests import faults, make
from tests.operations.decisions.conftest import Product, add_feature, serve_rollout

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def facts(slug: str, number: int = 1) -> DecisionFacts:
    return DecisionFacts(
        uuid4(), slug, number, 0, {}, EffectivePolicy(Platform(), number, Content(), ())
    )


def test_who_was_not_asked_about_for_longest_is_forgotten_first(monkeypatch):
    monkeypatch.setattr(snapshots, "MAX_TENANTS", 3)
    held = Snapshots("postgresql://nowhere", following=True)
    for n in range(3):
        held._put(facts(f"t{n}"), 0, 0)
    held.of("t0")
    held._put(facts("t3"), 0, 0)
    assert set(held._snapshots) == {"t0", "t2", "t3"}


def test_of_two_loads_the_one_that_looked_later_counts_whichever_ends_first():
    held = Snapshots("postgresql://nowhere", following=True)
    held._put(facts("acme", 8), began=2.0, known=2.0)
    held._put(facts("acme", 7), began=1.0, known=1.0)
    assert held.of("acme").facts.number == 8
    held._put(facts("acme", 3), began=3.0, known=3.0)
    assert held.of("acme").facts.number == 3, (
        "a restored database has lower numbers, and is what counts"
    )


def test_a_tenant_that_does_not_exist_is_asked_for_once_in_a_while(app, database, statements):
    nobody = Product(app, "gc_nobody-here_" + "A" * 43)
    nobody.ask("policy.grounding", then=401)
    with statements() as seen:
        for _ in range(5):
            nobody.ask("policy.grounding", then=401)
    assert seen == []


def test_a_body_is_not_read_beyond_what_a_context_may_have(app, product_client):
    reply = app.test_client().post(
        "/ofrep/v1/evaluate/flags",
        data=b"x" * 70_000,
        headers={"Authorization": f"Bearer {product_client.key}"},
    )
    assert reply.status_code == 413 and "65,536 bytes" in json.loads(reply.data)["errorDetails"]


@given(st.integers(1, 600), st.lists(st.floats(0, 3), min_size=1, max_size=300), st.integers(1, 4))
def test_in_no_stretch_of_time_does_a_key_get_more_than_its_share_and_the_burst(
    rate, gaps, workers
):
    limiter, key, now, passed = RateLimiter(workers), UUID(int=1), 0.0, []
    for gap in gaps:
        now += gap
        if limiter.wait(key, rate, now) == 0:
            passed.append(now)
    share, most = rate / 60 / workers, max(BURST_SECONDS * rate / 60 / workers, 1)
    for n, begun in enumerate(passed):
        for m in range(n, len(passed)):
            assert m - n + 1 <= share * (passed[m] - begun) + most + 1 + 1e-6


@given(st.integers(1, 600), st.integers(1, 4), st.floats(0, 1e9))
@example(17, 3, 100.0)
def test_who_asks_for_the_first_time_gets_through_whenever_it_is(rate, workers, now):
    assert RateLimiter(workers).wait(UUID(int=1), rate, now) == 0


@given(st.integers(1, 600), st.integers(1, 4))
def test_who_waits_as_long_as_they_was_told_gets_through(rate, workers):
    limiter, key, now = RateLimiter(workers), UUID(int=1), 100.0
    while (wait := limiter.wait(key, rate, now)) == 0:
        pass
    assert limiter.wait(key, rate, now + wait + 1e-6) == 0
    assert limiter.wait(UUID(int=2), rate, now) == 0, "another key has its own"
    assert RateLimiter().wait(key, 0, now) == 0


def test_beyond_its_room_the_key_that_asked_longest_ago_is_forgotten_and_no_other(monkeypatch):
    monkeypatch.setattr(rate_limits, "MAX_KEYS", 3)
    limiter, (first, second, third, new) = RateLimiter(), [UUID(int=n) for n in range(1, 5)]
    for now, key in enumerate((first, second, third)):
        assert limiter.wait(key, 1, float(now)) == 0  # One per minute: each has had its share.
    assert limiter.wait(first, 1, 3.0) > 0, "refused, and heard: the second is the quietest now"
    assert limiter.wait(new, 1, 4.0) == 0
    assert [limiter.wait(key, 1, 5.0) > 0 for key in (first, third, new)] == [True, True, True]
    assert limiter.wait(second, 1, 6.0) == 0, "forgotten, so it is let through"
    assert limiter.wait(third, 1, 7.0) > 0 and limiter.wait(first, 1, 7.0) == 0, (
        "the first was quietest when the second came"
    )


# ---- stops first

UNREADABLE = faults.fail(RuntimeError("a waiver can't be read"))


def test_a_tenant_without_stops_has_its_revision_alone(triage, app):
    with make.acting("admin"):
        whole = queries.facts()
        assert queries.stops_now("standard") == (whole.number, ())


def test_the_stops_that_are_read_first_are_those_of_the_whole_in_its_order(triage, app):
    with make.acting("operator_admin", "console"):
        platform_actions.stop_platform(reason="All of it.")
    with make.acting("admin"):
        system = systems.system(triage.id)
        switches.stop("tenant", None, None, serve=False, reason="Ours.")
        switches.stop("system", system, None, reason="This one.")
    with make.acting("operator_admin", "console"):
        suspension_actions.suspend(tenants.any_tenant_by_slug("acme"), reason="Unpaid.")
    with make.acting("admin"):
        whole = queries.facts()
        number, found = queries.stops_now(whole.policy.content.tier)
    assert (number, found) == (whole.number, whole.stops)
    assert [each.scope for each in found] == ["platform", "tenant", "system", "tenant"]


def test_a_stop_is_obeyed_even_while_the_rest_of_the_tenant_cant_be_loaded(triage, app, isolated):
    held = Snapshots("postgresql://nowhere")
    held.of("acme")
    held.following = True  # From here on, only notified tenants are loaded.
    with make.acting("admin"):
        switches.stop("system", systems.system(triage.id), None, reason="Wrong answers.")
    before = held.of("acme").facts.number
    with faults.before_statement(isolated, "FROM waivers", UNREADABLE) as tried:
        held._moved(str(make.actor("admin").tenant_id))
    assert tried
    answers = held.of("acme")
    assert answers.flag("", "switch.claims-triage").value is False
    assert answers.facts.number == before, "the rest will be loaded"
    assert answers.facts.obeyed > before, "a consumer answered from it is recorded as obeying"


@pytest.fixture
def loaded_later(triage, app) -> Snapshots:
    """Return a worker's snapshots of acme before the thread that loads the rest has started."""
    held = Snapshots("postgresql://nowhere")
    held.of("acme")
    held.following = True
    held._threads = [threading.current_thread()]
    return held


@pytest.fixture
def notified(isolated) -> Iterator[list[str]]:
    """Return the notifications of all changes, which PostgreSQL delivers at their commits."""
    sent: list[str] = []

    def note(_conn, _cursor, statement, given, *_rest) -> None:
        if "pg_notify" in statement and given["channel"] == tenant_revision.CHANNEL:
            sent.append(given["payload"])

    event.listen(isolated.engine, "before_cursor_execute", note)
    yield sent
    event.remove(isolated.engine, "before_cursor_execute", note)


def restart_everything() -> None:
    with make.acting("admin"):
        for found in session().scalars(select(Stop).where(Stop.restarted_at.is_(None))):
            switches.carry_out_restart(found, reason="Repaired.", requested_by=None)


def read_acme(tier: str) -> DecisionFacts:
    """Load everything of acme under a new policy."""
    with make.acting("admin"):
        policies.tighten_now(Content(tier), base=0, reason="x")
        return queries.facts()


def stop_everything() -> str:
    with make.acting("admin"):
        switches.stop("tenant", None, None, reason="All of it.")
    return str(make.actor("admin").tenant_id)


def is_stopped(held: Snapshots) -> bool:
    return held.of("acme").flag("", "switch.claims-triage").value is False


def test_a_stop_waits_for_nothing_else_of_its_tenant(loaded_later):
    before = loaded_later.of("acme").facts.number
    loaded_later._moved(stop_everything())
    assert is_stopped(loaded_later) and loaded_later.of("acme").facts.number == before
    loaded_later._load_due()
    assert is_stopped(loaded_later) and loaded_later.of("acme").facts.number > before


def test_what_was_read_before_a_stop_and_arrives_after_it_restarts_nothing(loaded_later):
    whole, began = read_acme("strict"), loaded_later._snapshots["acme"].began
    loaded_later._moved(stop_everything())
    loaded_later._put(whole, began, began)
    assert is_stopped(loaded_later)
    loaded_later._load_due()
    assert is_stopped(loaded_later)
    assert loaded_later.of("acme").facts.policy.content.tier == "strict"


def test_what_arrives_while_stops_are_read_is_kept_beside_them(loaded_later, isolated):
    whole, began = read_acme("strict"), loaded_later._snapshots["acme"].began
    stopped = stop_everything()

    def meanwhile() -> None:
        loaded_later._put(whole, began, began)

    with faults.before_statement(isolated, "FROM .*stops", meanwhile) as read:
        loaded_later._moved(stopped)
    assert read
    assert is_stopped(loaded_later)
    assert loaded_later.of("acme").facts.policy.content.tier == "strict"


def test_a_halt_is_obeyed_even_while_the_rest_of_the_tenant_cant_be_loaded(triage, app, isolated):
    feature = add_feature("claims-triage", "auto-approve")
    serve_rollout(feature, 5)
    held = Snapshots("postgresql://nowhere")
    assert b"2026.12.0" in held.of("acme").rollout("", "rollout.auto-approve").answer("u").body
    held.following = True  # From here on, only notified tenants are loaded.
    serve_rollout(feature, 5, "halted")
    with faults.before_statement(isolated, "FROM waivers", UNREADABLE) as tried:
        held._moved(str(make.actor("admin").tenant_id))
    assert tried
    told = held.of("acme").rollout("", "rollout.auto-approve").answer("u").body
    assert json.loads(told)["value"] == "2026.11.2" and json.loads(told)["reason"] == "DISABLED"


# ---- stops in notifications


def test_a_stop_and_its_restart_are_obeyed_as_told_without_the_database(
    loaded_later, notified, statements
):
    stop_everything()
    restart_everything()
    (stop, restart), before = notified, loaded_later.of("acme").facts.number
    assert "All of it." not in stop, "the reason is read, not told"
    with statements() as seen:
        loaded_later._moved(stop)
        assert is_stopped(loaded_later) and loaded_later.of("acme").facts.obeyed == before + 1
        loaded_later._moved(restart)
        assert not is_stopped(loaded_later) and loaded_later.of("acme").facts.obeyed == before + 2
    assert seen == []
    loaded_later._load_due()
    assert not is_stopped(loaded_later) and loaded_later.of("acme").facts.number == before + 2


def test_a_stop_as_told_is_the_stop_that_is_read_but_for_its_reason(loaded_later, notified):
    with make.acting("admin"):
        switches.stop("tenant", None, None, serve=False, reason="All of it.")
    loaded_later._moved(notified[0])
    (told,) = loaded_later.of("acme").facts.stops
    loaded_later._load_due()
    (read,) = loaded_later.of("acme").facts.stops
    assert read.reason == "All of it." and replace(told, reason=read.reason) == read


def test_whoever_missed_a_notification_reads_all_stops_at_the_next(loaded_later, notified):
    with make.acting("admin"):
        feature = add_feature("claims-triage", "auto-approve")
    loaded_later._load_soon(loaded_later._snapshots.values())
    loaded_later._load_due()
    notified.clear()
    stop_everything()
    with make.acting("admin"):
        owner = systems.system("claims-triage")
        switches.stop("feature", owner, feature, reason="This one, too.")
    _lost, heard = notified
    loaded_later._moved(heard)
    facts = loaded_later.of("acme").facts
    assert {each.scope for each in facts.stops} == {"tenant", "feature"}


def test_a_notification_that_comes_after_what_it_tells_was_read_changes_nothing(
    loaded_later, notified
):
    stop_everything()
    restart_everything()
    loaded_later._load_soon(loaded_later._snapshots.values())
    loaded_later._load_due()
    loaded_later._moved(notified[0])
    assert not is_stopped(loaded_later)


@pytest.mark.parametrize("news", ["{", "[]", '{"number": "x"}', '{"number": 9, "stop": {}}', "7"])
def test_a_notification_that_nobody_understands_has_the_stops_read(loaded_later, news):
    loaded_later._moved(f"{stop_everything()} {news}")
    assert is_stopped(loaded_later)


def test_a_halt_is_obeyed_as_told_without_the_database(triage, app, notified, statements):
    serve_rollout(add_feature("claims-triage", "auto-approve"), 5)
    held = Snapshots("postgresql://nowhere")
    flag = "rollout.auto-approve"
    assert b"2026.12.0" in held.of("acme").rollout("", flag).answer("u").body
    held.following, held._threads = True, [threading.current_thread()]
    notified.clear()
    with make.acting("admin"):
        rollout_actions.halt(session().scalars(select(Rollout)).one(), reason="Too many errors.")
    with statements() as seen:
        held._moved(notified[0])
        told = held.of("acme").rollout("", flag).answer("u").body
    assert seen == []
    assert json.loads(told)["value"] == "2026.11.2" and json.loads(told)["reason"] == "DISABLED"
    held._load_due()
    assert held.of("acme").rollout("", flag).answer("u").body == told
