"""Usage events pushed by AI products: each counts once; rejected ones are named."""

import gzip
import json
import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from governance.economics.usage import storing, usage_events
from governance.economics.usage.models import EVENT_KEYS
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    EVENTS_OF_DAYS,
    NOW,
    SYSTEM,
    Product,
    answer,
    at,
    days,
    event,
    register,
    stored,
)
from tests.hypothesis_profiles import examples

AGAIN = "An event with this id and different content was already sent. Use a new id."


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


# ---- stored rows


@EACH_STORE
def test_events_are_stored_and_counted_for_their_tenant_alone(app, product):
    register(slug="globex")
    tokens = {"input": 3, "cache_read": 4, "cache_write": 5, "output": 6, "reasoning": 7}
    full = event(
        2,
        feature="summaries",
        provider="anthropic",
        request="r-1",
        task="t-1",
        user="u-1",
        tokens=tokens,
    )
    assert product.send([event(1), full, event(3, tokens=...)]) == answer(accepted=3)
    one, two, three = stored()
    assert (one.model, one.outcome, one.input_tokens, one.person) == (
        "claude-sonnet-4-5",
        "success",
        100,
        None,
    )
    assert [getattr(two, f"{each}_tokens") for each in BUCKETS] == [3, 4, 5, 6, 7]
    assert (two.feature, two.provider, two.request, two.task, two.person) == (
        "summaries",
        "anthropic",
        "r-1",
        "t-1",
        "u-1",
    )
    assert three.output_tokens == 0 and three.at == NOW - timedelta(minutes=3)
    assert stored("globex") == days("globex") == []


def test_gzip_and_lines_say_the_same_as_json(product):
    packed = gzip.compress(json.dumps({"events": [event(1)]}).encode())
    assert product.send(data=packed, encoding="gzip") == answer(accepted=1)
    lines = "\n".join(json.dumps(each) for each in (event(1), event(2)))
    found = product.send(data=f"{lines}\n\n{{".encode(), kind="application/x-ndjson")
    assert (found["accepted"], found["duplicate"], found["rejected"]) == (1, 1, 1)
    assert found["errors"] == [{"row": 3, "field": "row", "reason": "The row isn't valid JSON."}]


# ---- each event counts once


@EACH_STORE
def test_an_event_that_is_sent_again_counts_once(product):
    batch = [event(n) for n in range(5)]
    assert product.send(batch) == answer(accepted=5)
    before = days()
    assert product.send([*batch[3:], event(9)]) == answer(accepted=1, duplicate=2)
    assert product.send([event(7), event(7)]) == answer(accepted=1, duplicate=1)
    assert len(stored()) == 7
    assert sum(row.requests for row in days()) == 7 == sum(row.requests for row in before) + 2


@EACH_STORE
@pytest.mark.parametrize(
    "changed",
    [
        {"at": at(NOW - timedelta(hours=1))},
        {"model": "claude-haiku-4-5"},
        {"outcome": "failed"},
        {"user": "u-1"},
        {"tokens": {"input": 100, "cache_read": 40, "output": 11}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_id_that_comes_again_with_other_content_is_refused(product, changed):
    refused = {"row": 1, "field": "id", "reason": AGAIN}
    assert product.send([event(1)]) == answer(accepted=1)
    assert product.send([event(1, **changed)]) == answer(rejected=1, errors=[refused])
    in_one_batch = product.send([event(2), event(2, **changed), event(3)])
    assert in_one_batch == answer(accepted=2, rejected=1, errors=[refused | {"row": 2}])
    assert [row.event_id for row in stored()] == ["req-1", "req-2", "req-3"]


@EACH_STORE
def test_the_same_instant_in_another_zone_is_the_same_event(product):
    product.send([event(1, at="2026-11-25T10:00:00Z")])
    assert product.send([event(1, at="2026-11-25T11:00:00.000+01:00")]) == answer(duplicate=1)


@EACH_STORE
def test_ids_are_remembered_for_seven_days(product):
    product.send([event(1)])
    for late, forgotten in ((timedelta(days=6, hours=23), 0), (timedelta(days=7, minutes=1), 1)):
        with clock.frozen(NOW + late), make.acting("admin"):
            assert storing.forget_keys() == forgotten
    with make.acting("admin"):
        assert session().scalar(select(func.count()).select_from(EVENT_KEYS)) == 0


@EACH_STORE
def test_an_event_that_is_sent_again_long_after_counts_once(product):
    old = event(1, at=at(NOW - timedelta(days=8)))
    product.send([old])
    with clock.frozen(NOW + timedelta(days=9)):
        with make.acting("admin"):
            assert storing.forget_keys() == 1
        assert product.send([old, event(2)]) == answer(accepted=1, duplicate=1)
        refused = product.send([old | {"model": "another"}])
        assert [each["reason"] for each in refused["errors"]] == [AGAIN]
    assert sum(row.requests for row in days()) == 2 == len(stored())


@EACH_STORE
def test_another_tenants_id_is_no_repetition(app, product):
    register(slug="globex")
    assert product.send([event(1)]) == answer(accepted=1)
    assert Product(app, slug="globex").send([event(1)]) == answer(accepted=1)


@EACH_STORE
def test_a_batch_with_the_same_idempotency_key_gets_the_same_answer(product):
    first = product.send([event(1), event(2, system="nowhere")], key="batch-1")
    replayed = product.post([event(1), event(2, system="nowhere")], key="batch-1")
    assert replayed.json == first and replayed.headers["Idempotency-Replayed"] == "true"
    product.send([event(3)], key="batch-1", then=422)
    assert [row.event_id for row in stored()] == ["req-1"]


# ---- rejected rows

BAD_EVENTS: dict[str, tuple[Any, str, str]] = {
    "no object": (7, "row", "JSON object"),
    "unknown field": (event(cost=3), "cost", "not a field"),
    "no id": (event(id=...), "id", "Send id."),
    "no model": (event(model=...), "model", "Send model."),
    "an id of 101": (event(id="x" * 101), "id", "up to 100 letters"),
    "an id with a line break": (event(id="a\nb"), "id", "up to 100 letters"),
    "an id with a quote": (event(id='a"b'), "id", "up to 100 letters"),
    "an id with a backslash": (event(id="a\\b"), "id", "up to 100 letters"),
    "an empty id": (event(id=""), "id", "up to 100 letters"),
    "an email address": (event(user="maya@acme.example"), "user", "never an email address"),
    "a model with a brace": (event(model="m},{"), "model", "letters, digits, spaces"),
    "a number as model": (event(model=4), "model", "as text"),
    "not a slug": (event(system="Claims Triage"), "system", "is a slug"),
    "unknown outcome": (event(outcome="ok"), "outcome", "success, refused, failed, retried"),
    "no instant": (event(at="yesterday"), "at", "an instant such as"),
    "without a zone": (event(at="2026-11-25T09:14:00"), "at", "no time zone"),
    "a day that isn't": (event(at="2026-02-30T09:14:00Z"), "at", "an instant such as"),
    "future": (event(at=at(NOW + timedelta(minutes=6))), "at", "in the future"),
    "three years old": (event(at=at(NOW - timedelta(days=1095))), "at", "400 days"),
    "unknown system": (event(system="nowhere"), "system", "doesn't exist"),
    "negative tokens": (event(tokens={"input": -1}), "tokens.input", "negative"),
    "half a token": (event(tokens={"output": 0.5}), "tokens.output", "whole number"),
    "not a number": (event(tokens={"output": math.nan}), "row", "valid JSON"),
    "true": (event(tokens={"input": True}), "tokens.input", "whole number"),
    "too many tokens": (event(tokens={"input": 10**9 + 1}), "tokens.input", "1,000,000,000"),
    "a huge number": (event(tokens={"input": 10**40}), "tokens.input", "1,000,000,000"),
    "unknown bucket": (event(tokens={"cached": 1}), "tokens.cached", "is no bucket"),
    "tokens as a list": (event(tokens=[1]), "tokens", "Send an object"),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_is_named_and_the_others_are_stored(product, name):
    bad, field, said = BAD_EVENTS[name]
    lines = "\n".join(json.dumps(each) for each in (event(7), bad, event(8)))
    found = product.send(data=lines.encode(), kind="application/x-ndjson")
    assert (found["accepted"], found["rejected"]) == (2, 1)
    [error] = found["errors"]
    assert error["row"] == 2 and error["field"] == field and said in error["reason"]
    assert [row.event_id for row in stored()] == ["req-7", "req-8"]


def test_three_bad_events_of_a_thousand_are_named_by_their_rows(product):
    batch = [event(n) for n in range(1000)]
    batch[4]["outcome"] = "ok"
    batch[500]["system"] = "nowhere"
    batch[999]["id"] = batch[0]["id"]
    found = product.send(batch)
    assert (found["accepted"], found["rejected"]) == (997, 3)
    assert [each["row"] for each in found["errors"]] == [5, 501, 1000]


texts = st.text(max_size=12) | st.sampled_from([SYSTEM, "success", "req-1", at(NOW)])
values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
rows = st.dictionaries(
    st.sampled_from([*usage_events.FIELDS, "more"]),
    values | st.dictionaries(st.sampled_from([*BUCKETS, "more"]), values, max_size=3),
)


@given(row=rows)
def test_every_row_is_an_event_or_is_rejected_with_a_reason(row):
    read = usage_events.read(json.dumps([event(1), row | event(2), row]).encode())
    assert len(read.events) + len(read.rejected) == 3 and read.rows[0] == 1
    assert all(each.reason and each.field for each in read.rejected)
    assert all(each.reason != "The event can't be read." for each in read.rejected)


@pytest.mark.parametrize(
    ("body", "then", "said"),
    [
        (b"", 400, "isn't valid JSON"),
        (b'{"events": [', 400, "isn't valid JSON"),
        (b"[]", 422, "Send one JSON object"),
        (b'{"events": {}}', 422, "Send one JSON object"),
        (b'{"events": [], "more": 1}', 422, "Send one JSON object"),
        (b'{"events": []}', 422, "at least one event"),
        (b'{"events": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}", 400, "isn't valid JSON"),
        (json.dumps({"events": [1] * 10_001}).encode(), 413, "at most 10,000 events"),
        (b'{"events": [' + b"0," * 4_000_000 + b"0]}", 413, "at most 10,000 events"),
        (b"x" * (8 * 1024 * 1024 + 1), 413, "at most 10,000 events and 8 MB"),
    ],
    ids=[
        "empty",
        "cut off",
        "a list",
        "an object",
        "more",
        "no event",
        "deep",
        "many",
        "four million",
        "large",
    ],
)
def test_a_body_that_is_no_batch_stores_nothing(product, body, then, said):
    assert said in product.post(data=body, then=then).text
    assert stored() == []


def test_lines_without_end_store_nothing(product):
    for body in (b"0\n" * 10_001, b"0\n" * 4_000_000):
        refused = product.post(data=body, kind="application/x-ndjson", then=413)
        assert "at most 10,000 events" in refused.text


def test_a_key_without_the_scope_or_for_another_system_sends_nothing(app, product):
    Product(app, ("indicators:write",), name="exporter").post([event(1)], then=403)
    limited = Product(app, system_id=register("ad-copywriter"), name="copywriter")
    found = limited.send([event(1), event(2, system="ad-copywriter")])
    assert (found["accepted"], found["errors"][0]["field"]) == (1, "system")


# ---- days


@EACH_STORE
@settings(
    max_examples=examples(15),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(batches=st.lists(st.lists(EVENTS_OF_DAYS, min_size=1, max_size=12), max_size=4))
def test_days_are_the_sums_of_the_events_whatever_arrives(app, product, batches):
    """Send any batches, with repeats and contradictions. Days are in the operator's time zone."""
    for batch in batches:
        product.send(batch)
    zone, counted = ZoneInfo("Europe/Berlin"), Counter[tuple[Any, ...]]()
    for row in stored():
        day = row.at.astimezone(zone).date()
        name = (day, row.model, row.outcome)
        counted[*name, "requests"] += 1
        for each in BUCKETS:
            counted[*name, each] += getattr(row, f"{each}_tokens")
    found = Counter[tuple[Any, ...]]()
    for row in days():
        name = (row.day, row.model, row.outcome)
        found[*name, "requests"] += row.requests
        for each in BUCKETS:
            found[*name, each] += getattr(row, f"{each}_tokens")
    assert +found == +counted


@EACH_STORE
def test_a_day_is_one_of_the_operators_time_zone(product):
    """Start 25 November in Berlin at 23:00 UTC."""
    product.send([event(1, at="2026-11-24T22:59:59Z"), event(2, at="2026-11-24T23:00:00Z")])
    assert [row.day.isoformat() for row in days()] == ["2026-11-24", "2026-11-25"]
    assert datetime(2026, 11, 24, 23, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin")).hour == 0


@pytest.mark.parametrize("years", [-7, 3])
def test_a_month_that_the_database_does_not_take_is_named(app, product, years):
    """Name the month when the clocks of Meridian and its database differ by years."""
    there = NOW.replace(year=clock.running().year + years)
    with clock.frozen(there):
        refused = product.send([event(1, at=at(there))], then=422)
    month = f"November {there.year}"
    assert refused["field"] == "at"
    assert refused["title"].startswith(f"at: {month} can't be stored. The database takes months")
    assert "from 61 before to 13 after the present one" in refused["title"]
    with clock.frozen(NOW):
        assert stored("acme") == []
