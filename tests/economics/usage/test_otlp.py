"""OpenTelemetry's spans of model calls, which become usage events, in JSON and in protobuf."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.economics.usage import metrics
from governance.economics.usage.models import EVENTS
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems.models import AISystem
from tests import make
from tests.economics.usage.otlp_helpers import (
    TRACE,
    Exporter,
    name_of,
    span,
)
from tests.economics.usage.usage_helpers import NOW, SYSTEM, Product, days, register, stored


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture(params=["json", "protobuf"])
def exporter(request, app, isolated):
    register()
    return Exporter(Product(app), request.param)


def buckets(row):
    return tuple(getattr(row, f"{each}_tokens") for each in BUCKETS)


# ---- stored rows


def test_a_call_becomes_an_event_with_disjoint_buckets(exporter):
    tokens = {
        "gen_ai__usage__input_tokens": 100,
        "gen_ai__usage__cache_read__input_tokens": 60,
        "gen_ai__usage__cache_creation__input_tokens": 25,
        "gen_ai__usage__output_tokens": 50,
        "gen_ai__usage__reasoning__output_tokens": 20,
    }
    others = {
        "gen_ai__response__model": "claude-sonnet-4-5-20250929",
        "gen_ai__conversation__id": "conv_5j66",
        "enduser__pseudo__id": "u-5f3a",
        "governance__feature": "summaries",
    }
    assert exporter.send(span(1, **tokens, **others), packed=True) == (0, "")
    [row] = stored()
    assert (row.event_id, row.at, row.request) == (name_of(1), NOW, TRACE)
    assert buckets(row) == (15, 60, 25, 30, 20)
    assert (row.provider, row.model) == ("anthropic", "claude-sonnet-4-5-20250929")
    assert (row.task, row.person, row.feature) == ("conv_5j66", "u-5f3a", "summaries")
    assert row.outcome == "success" and stored("globex") == []


def test_older_names_say_the_same(exporter):
    old = {
        "gen_ai__provider__name": None,
        "gen_ai__usage__input_tokens": None,
        "gen_ai__usage__output_tokens": None,
        "gen_ai__operation__name": None,
        "gen_ai__system": "az.ai.openai",
        "gen_ai__usage__prompt_tokens": 100,
        "gen_ai__usage__completion_tokens": 50,
        "gen_ai__usage__cache_read_input_tokens": 60,
        "gen_ai__usage__reasoning_tokens": 20,
    }
    assert exporter.send(span(1, **old)) == (0, "")
    [row] = stored()
    assert buckets(row) == (40, 60, 0, 30, 20) and row.provider == "azure.ai.openai"


@pytest.mark.parametrize(
    ("attributes", "outcome"),
    [
        ({}, "success"),
        ({"gen_ai__response__finish_reasons": ["stop"]}, "success"),
        ({"gen_ai__response__finish_reasons": ["stop", "content_filter"]}, "refused"),
        ({"gen_ai__response__finish_reasons": ["SAFETY"]}, "refused"),
        ({"error__type": "content_filter", "error": True}, "refused"),
        ({"error": True}, "failed"),
        ({"error__type": "timeout"}, "failed"),
        ({"gen_ai__response__finish_reasons": ["error"]}, "failed"),
    ],
)
def test_the_outcome_follows_status_and_finish_reasons(exporter, attributes, outcome):
    exporter.send(span(1, **attributes))
    assert [row.outcome for row in stored()] == [outcome]


@pytest.mark.parametrize(
    "attributes",
    [
        {"gen_ai__operation__name": "invoke_agent"},
        {"gen_ai__operation__name": "execute_tool"},
        {
            "gen_ai__operation__name": None,
            "gen_ai__usage__input_tokens": None,
            "gen_ai__usage__output_tokens": None,
        },
    ],
    ids=["an agent that sums its calls", "a tool", "a query of a database"],
)
def test_a_span_that_calls_no_model_is_ignored_and_counted(exporter, attributes):
    ignored = metrics.spans.labels("ignored")._value
    before = ignored.get()
    assert exporter.send(span(1, **attributes), span(2)) == (0, "")
    assert [row.event_id for row in stored()] == [name_of(2)]
    assert ignored.get() == before + 1


def test_a_failed_call_without_tokens_is_still_a_request(exporter):
    no_tokens = {"gen_ai__usage__input_tokens": None, "gen_ai__usage__output_tokens": None}
    exporter.send(span(1, error=True, **no_tokens))
    assert [(row.outcome, buckets(row)) for row in stored()] == [("failed", (0,) * 5)]


def test_the_system_comes_from_the_span_then_from_its_resource(exporter):
    register("ad-copywriter")
    exporter.send(span(1), span(2, governance__system="ad-copywriter"))
    exporter.send(span(3), governance__system="ad-copywriter", service__name="web-api")
    assert [row.system for row in _by_system()] == [SYSTEM, "ad-copywriter", "ad-copywriter"]


def _by_system():
    with make.acting("admin"):
        joined = select(AISystem.key.label("system")).join(
            EVENTS, EVENTS.c.system_id == AISystem.id
        )
        return list(session().execute(joined.order_by(EVENTS.c.event_id)))


def test_a_span_that_is_exported_again_counts_once_in_either_encoding(app, exporter):
    for _ in range(2):
        assert exporter.send(span(1), span(2)) == (0, "")
    for encoding in ("json", "protobuf"):
        assert Exporter(exporter.product, encoding).send(span(1), span(2)) == (0, "")
    assert len(stored()) == 2 == sum(row.requests for row in days())
    number, message = exporter.send(span(1, gen_ai__usage__input_tokens=101), span(3))
    assert number == 1 and name_of(1) in message and "different content" in message


# ---- rejected rows

BAD = {
    "more cached than read": (
        {"gen_ai__usage__cache_read__input_tokens": 101},
        "101 cache_read and 0 cache_creation exceed 100 input_tokens",
    ),
    "more reasoning than written": (
        {"gen_ai__usage__reasoning__output_tokens": 11},
        "11 reasoning exceed 10 output_tokens",
    ),
    "negative tokens": ({"gen_ai__usage__input_tokens": -1}, "input_tokens is negative"),
    "half a token": ({"gen_ai__usage__input_tokens": 0.5}, "must be a whole number"),
    "tokens as text": ({"gen_ai__usage__input_tokens": "many"}, "must be a whole number"),
    "too many tokens": ({"gen_ai__usage__input_tokens": 2**62}, "more than 1,000,000,000"),
    "no model": ({"gen_ai__request__model": None}, "Send gen_ai.request.model"),
    "an email address": ({"enduser__pseudo__id": "maya@acme.example"}, "(enduser.pseudo.id)"),
    "a number as model": ({"gen_ai__request__model": 4}, "Send model as text"),
    "the future": ({"ended": NOW + timedelta(hours=1)}, "in the future"),
    "three years old": ({"ended": NOW - timedelta(days=1095)}, "400 days"),
    "an unknown system": (
        {"governance__system": "nowhere"},
        "doesn't exist, or the key has no access to it. (governance.system, service.name)",
    ),
    "no slug": ({"governance__system": "Claims Triage"}, "is a slug"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_span_is_named_and_the_others_are_stored(exporter, name):
    attributes, said = BAD[name]
    number, message = exporter.send(span(1), span(2, **attributes), span(3))
    assert number == 1 and message.startswith(f"{name_of(2)}: ") and said in message
    assert [row.event_id for row in stored()] == [name_of(1), name_of(3)]


def test_spans_without_a_system_or_with_bad_ids_are_rejected(exporter):
    number, message = exporter.send(span(1), service__name=None)
    assert number == 1 and "service.name or governance.system" in message
    short = span(1)
    short.span_id = b"abc"
    number, message = exporter.send(short, span(2))
    assert number == 1 and message.startswith("span 1: ")
    assert [row.event_id for row in stored()] == [name_of(2)]


def test_of_many_rejected_spans_twenty_are_named(exporter):
    number, message = exporter.send(*[span(n + 1, gen_ai__request__model=None) for n in range(50)])
    assert number == 50 and message.count(TRACE) == 20 and message.endswith("and 30 more")


def test_a_key_without_the_scope_or_none_at_all_is_refused_with_a_status(app, exporter):
    body = exporter.body(span(1))
    other = Product(app, ("indicators:write",), name="other")
    assert Exporter(other, exporter.encoding).refused(body)[:2] == (403, 7)
    assert exporter.refused(body, Authorization="Bearer nonsense")[:2] == (401, 16)
    assert stored() == []


def test_a_key_of_one_system_sends_only_its_spans(app, exporter):
    limited = Product(app, system_id=register("ad-copywriter"), name="copywriter")
    number, message = Exporter(limited, exporter.encoding).send(
        span(1), span(2, governance__system="ad-copywriter")
    )
    assert number == 1 and message.startswith(name_of(1))


# ---- invalid bodies


def test_an_empty_request_stores_nothing(exporter):
    assert exporter.send() == (0, "")
    assert exporter.post(b"{}" if exporter.encoding == "json" else b"").status_code == 200
    assert stored() == []


def test_garbage_cut_off_bodies_and_other_encodings_are_refused(exporter):
    whole = exporter.body(span(1), span(2))
    for body in (b"\xff" * 300, whole[:-7], whole + b"\x0a\xff", "é".encode("latin-1") * 9):
        status, code, message = exporter.refused(body)
        assert (status, code) == (400, 3) and "Nothing was saved" in message
    assert exporter.refused(whole[:90], Content_Encoding="gzip")[0] == 400
    assert exporter.refused(whole, Content_Encoding="br")[0] == 422
    plain = exporter.post(whole, Content_Type="text/plain")
    assert plain.status_code == 415 and "application/x-protobuf" in plain.json["message"]
    assert stored() == []


def test_ten_megabytes_are_refused_packed_or_not(exporter):
    large = exporter.body(span(1, gen_ai__prompt="x" * 10 * 1024**2))
    for packed in (False, True):
        status, code, message = exporter.refused(large, packed=packed)
        assert (status, code) == (413, 8) and "at most 10,000 spans and 8 MB" in message
    assert stored() == []


def test_more_than_ten_thousand_spans_are_refused(exporter):
    assert exporter.refused(exporter.body(*[span(n + 1) for n in range(10_001)]))[0] == 413


def test_a_bomb_of_gzip_is_refused(exporter):
    assert exporter.refused(b" " * 300 * 1024**2, packed=True)[0] == 413
