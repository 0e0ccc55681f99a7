"""Hostile OTLP requests: time and memory follow their size, and both encodings answer alike."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.usage import genai_spans, otlp_json, otlp_protobuf
from governance.economics.usage.usage_events import TooManyEvents
from governance.kernel.web.batch_requests import UnreadableBatch
from tests.economics.usage.otlp_helpers import as_json, name_of, request, span


def wrapped(field: int, body: bytes) -> bytes:
    """Return a length-delimited field in protobuf's wire format."""
    size, length = bytearray(), len(body)
    while length > 127:
        size.append(length & 127 | 128)
        length >>= 7
    return bytes([field << 3 | 2, *size, length]) + body


def in_span(body: bytes) -> bytes:
    return wrapped(1, wrapped(2, wrapped(2, body)))


HOSTILE = {
    "four million resources": (b"\x0a\x00" * 4_000_000, TooManyEvents),
    "four million spans": (wrapped(1, wrapped(2, b"\x12\x00" * 4_000_000)), TooManyEvents),
    "four million fields": (wrapped(1, b"\x78\x00" * 4_000_000), TooManyEvents),
    "a huge number": (b"\x78" + b"\xff" * 40, UnreadableBatch),
    "a huge length": (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", UnreadableBatch),
    "a group": (b"\x0b\x0c", UnreadableBatch),
    "no field": (b"\x02\x00", UnreadableBatch),
    "a large resource": (wrapped(1, wrapped(1, b"\x0a\x00" * 2_000_000)), UnreadableBatch),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_protobuf_is_refused(name):
    body, error = HOSTILE[name]
    with pytest.raises(error):
        list(otlp_protobuf.read(body))


def test_a_hostile_span_in_protobuf_is_rejected_alone():
    nested = b""
    for _ in range(3000):
        nested = wrapped(5, wrapped(1, nested))
    deep = in_span(wrapped(9, wrapped(1, b"gen_ai.system") + wrapped(2, nested)))
    many, large = in_span(b"\x4a\x00" * 2000), in_span(wrapped(5, b"x" * 2_000_000))
    wrong = in_span(wrapped(5, b"\xff\xfe"))
    good = request(span(1)).SerializeToString()
    *bad, last = otlp_protobuf.read(deep + many + large + wrong + good)
    assert [type(each) for each in bad] == [genai_spans.RejectedSpan] * 4
    assert last.name == name_of(1)


BAD_VALUE = b'{"key":"service.name","value":{"intValue":"x"}}'


def test_hostile_json_is_refused_or_rejected_alone():
    deep = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    spans = b'{"resourceSpans":[{"scopeSpans":[{"spans":['
    for body, error in (
        (deep, UnreadableBatch),
        (spans + b"{}," * 2_000_000 + b"{}]}]}]}", TooManyEvents),
        (spans + b"1," * 2_000_000 + b"1]}]}]}", TooManyEvents),
        (b"\xef\xbb\xbf{}", UnreadableBatch),
        (b'{"resourceSpans":{}}', UnreadableBatch),
        (b"[]", UnreadableBatch),
        (b'{"resourceSpans":[{"resource":{"attributes":[%s]}}]}' % BAD_VALUE, UnreadableBatch),
    ):
        with pytest.raises(error):
            list(otlp_json.read(body))
    bad = (
        b"7",
        b"{}",
        b'{"traceId":5}',
        b'{"endTimeUnixNano":"soon"}',
        b'{"x":' + deep[:900] + b"}",
    )
    found = list(otlp_json.read(spans + b",".join(bad[:4]) + b"]}]}]}"))
    assert [each.name for each in found] == [f"span {n}" for n in range(1, 5)]


NUMBERS = st.integers(0, 200)


@given(st.tuples(*[NUMBERS] * 5), st.randoms(use_true_random=False))
def test_both_encodings_say_the_same_and_no_token_is_lost(tokens, shuffled: random.Random):
    read, written, cached, created, thought = tokens
    sent = request(
        span(
            shuffled.randrange(1, 2**60),
            gen_ai__usage__input_tokens=read,
            gen_ai__usage__output_tokens=written,
            gen_ai__usage__cache_read__input_tokens=cached,
            gen_ai__usage__cache_creation__input_tokens=created,
            gen_ai__usage__reasoning__output_tokens=thought,
        )
    )
    [one] = otlp_json.read(as_json(sent))
    [other] = otlp_protobuf.read(sent.SerializeToString())
    assert one == other
    event = genai_spans.event_of(one)
    if cached + created > read or thought > written:
        assert isinstance(event, genai_spans.RejectedSpan)
    else:
        assert sum(event["tokens"].values()) == read + written
        assert min(event["tokens"].values()) >= 0


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(body):
    for read in (otlp_json.read, otlp_protobuf.read):
        with contextlib.suppress(UnreadableBatch):
            assert all(each.name for each in read(body))
