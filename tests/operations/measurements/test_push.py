"""Minute counts pushed in batches: valid rows are stored, each other row is named."""

import copy
import gzip
import json
import math
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import func, select

from governance.foundation.api_keys import batch_actions
from governance.foundation.api_keys.models import ReceivedBatch
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.intervals import Span
from governance.operations.measurements import actions, queries
from tests import make
from tests.operations.measurements.measurement_helpers import (
    MINUTE,
    NOW,
    Machine,
    defined,
    system_of,
)

AT = NOW - 30 * MINUTE


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def machine(app, isolated):
    return Machine(app)


def at(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def row(**changed: Any) -> dict[str, Any]:
    values = {"indicator": "availability", "at": at(AT), "good": 12, "total": 12} | changed
    return {name: value for name, value in values.items() if value is not ...}


def stored(indicator_id, slug: str = "acme"):
    with make.acting("admin", slug):
        rows = queries.minute_rows(indicator_id, Span(NOW - timedelta(days=400), NOW + MINUTE * 9))
    return [(str(at)[11:16], good, total) for at, good, total, _down in rows]


def answer(**counts: Any) -> dict[str, Any]:
    return {"accepted": 0, "corrected": 0, "duplicate": 0, "rejected": 0, "errors": []} | counts


# ---- stored rows


def test_a_batch_is_stored_and_counted_for_its_tenant_alone(app, machine):
    mine, theirs = defined(), defined(slug="globex")
    assert machine.send([row(), row(at=at(AT + MINUTE), good=0)]) == answer(accepted=2)
    assert stored(mine) == [("11:30", 12, 12), ("11:31", 0, 12)]
    assert stored(theirs, "globex") == []


def test_a_minute_may_come_again_late_and_in_any_order(machine):
    mine = defined()
    early = at(NOW - timedelta(hours=47, minutes=59))
    assert machine.send([row(at=at(AT + MINUTE)), row(), row(at=early)]) == answer(accepted=3)
    assert machine.send([row(), row(at=at(AT + MINUTE), good=11), row(at=early)]) == answer(
        corrected=1, duplicate=2
    )
    assert stored(mine) == [("12:01", 12, 12), ("11:30", 12, 12), ("11:31", 11, 12)]


def test_a_threshold_takes_the_histogram_of_its_bound(machine):
    mine = defined("latency", "threshold", bound=Decimal("0.5"))
    speed = defined("speed", "threshold", bound=Decimal(20), good_side="more_than")
    buckets = {"0.25": 3, "0.50": 10, "1": 14, "+Inf": 15}
    rows = [
        row(indicator="latency", good=..., total=..., buckets=buckets),
        row(indicator="speed", good=..., total=..., buckets={"20.0": 4, "+Inf": 10}),
        row(indicator="latency", at=at(AT + MINUTE), good=4, total=5),
    ]
    assert machine.send(rows) == answer(accepted=3)
    assert stored(mine) == [("11:30", 10, 15), ("11:31", 4, 5)]
    assert stored(speed) == [("11:30", 6, 10)]


def test_a_minute_of_downtime_is_down_by_its_rule(machine):
    one = defined("none-accepted", "downtime", min_requests=3)
    two = defined("half-accepted", "downtime", min_requests=2, floor=Decimal("0.5"))
    for key in ("none-accepted", "half-accepted"):
        machine.send(
            [
                row(indicator=key, at=at(AT + n * MINUTE), good=good, total=total)
                for n, (good, total) in enumerate([(0, 3), (0, 2), (1, 3), (1, 2), (0, 0)])
            ]
        )
    with make.acting("admin"):
        span = Span(AT, AT + 5 * MINUTE)
        found = [[down for *_rest, down in queries.minute_rows(i, span)] for i in (one, two)]
    assert found == [[True, False, False, False, False], [True, True, True, False, False]]


def test_gzip_and_lines_say_the_same_as_json(machine):
    mine = defined()
    packed = gzip.compress(json.dumps({"rows": [row()]}).encode())
    assert machine.send(data=packed, encoding="gzip") == answer(accepted=1)
    lines = "\n".join(json.dumps(each) for each in (row(), row(at=at(AT + MINUTE))))
    assert machine.send(data=f"{lines}\n\n{{".encode(), kind="application/x-ndjson") == answer(
        accepted=1,
        duplicate=1,
        rejected=1,
        errors=[
            {
                "row": 3,
                "field": "row",
                "reason": "A row is a JSON object with indicator, at, good and total.",
            }
        ],
    )
    assert len(stored(mine)) == 2


# ---- rejected rows

BAD_ROWS = {
    "more good than total": (row(good=13), "good", "more than the total"),
    "negative": (row(good=-1), "good", "negative"),
    "negative total": (row(good=0, total=-1), "total", "negative"),
    "not a number": (row(good=math.nan), "good", "whole number"),
    "infinity": (row(total=math.inf), "total", "whole number"),
    "true": (row(good=True), "good", "whole number"),
    "text": (row(good="12"), "good", "whole number"),
    "fraction": (row(good=11.0), "good", "whole number"),
    "null": (row(total=None), "total", "whole number"),
    "missing": (row(total=...), "total", "whole number"),
    "far too many": (row(total=10**13), "total", "1,000,000,000,000"),
    "future": (row(at=at(NOW + 3 * MINUTE)), "at", "in the future"),
    "too late": (row(at=at(NOW - timedelta(hours=48, minutes=1))), "at", "as a backfill"),
    "half a minute": (row(at="2026-11-25T11:30:30Z"), "at", "whole minute"),
    "without a zone": (row(at="2026-11-25T11:30:00"), "at", "no time zone"),
    "no instant": (row(at="yesterday"), "at", "such as"),
    "no text": (row(at=1764070200), "at", "as text"),
    "unknown indicator": (row(indicator="nothing"), "indicator", "doesn't exist"),
    "no indicator": (row(indicator=...), "indicator", "as text"),
    "what can't be stored": (row(indicator="\ud800\0"), "indicator", "doesn't exist"),
    "another tenant's": (row(indicator="theirs"), "indicator", "doesn't exist"),
    "retired": (row(indicator="retired"), "indicator", "is retired"),
    "read elsewhere": (row(indicator="pulled"), "indicator", "read from Prometheus"),
    "a list for a name": (row(indicator=[]), "indicator", "as text"),
    "an object for an instant": (row(at={}), "at", "as text"),
    "misspelled": (row(god=12), "god", "not a field"),
    "a list": ([], "row", "JSON object"),
    "buckets of a ratio": (row(good=..., total=..., buckets={"+Inf": 1}), "buckets", "no bound"),
    "both": (row(buckets={"+Inf": 1}), "buckets", "either buckets"),
    "no bucket of the bound": (
        row(indicator="latency", good=..., total=..., buckets={"1": 1, "+Inf": 1}),
        "buckets",
        "no bucket 0.5",
    ),
    "no last bucket": (
        row(indicator="latency", good=..., total=..., buckets={"0.5": 1}),
        "buckets",
        "no bucket +Inf",
    ),
    "falling buckets": (
        row(indicator="latency", good=..., total=..., buckets={"0.5": 2, "+Inf": 1}),
        "buckets",
        "fall",
    ),
    "a bucket twice": (
        row(indicator="latency", good=..., total=..., buckets={"0.5": 1, "0.50": 1, "+Inf": 1}),
        "buckets",
        "Two buckets",
    ),
    "a bucket of nothing": (
        row(indicator="latency", good=..., total=..., buckets={"NaN": 1, "+Inf": 1}),
        "buckets",
        "not a bound",
    ),
    "a bucket that is no count": (
        row(indicator="latency", good=..., total=..., buckets={"0.5": 0.5, "+Inf": 1}),
        "buckets",
        "whole number",
    ),
}


def test_each_bad_row_is_named_with_its_field_and_reason_and_the_others_are_stored(machine):
    mine, _latency = defined(), defined("latency", "threshold")
    retired, _pulled = defined("retired"), defined("pulled", source="prometheus")
    theirs = defined("theirs", slug="globex")
    with make.acting("admin"):
        actions.retire(queries.indicator(retired), reason="Replaced")
    rows = []
    for bad, _field, _reason in BAD_ROWS.values():
        rows += [bad, row(at=at(AT + len(rows) * MINUTE // 4))] if len(rows) % 4 == 0 else [bad]
    found = machine.send(rows)
    good = [
        n for n, each in enumerate(rows, 1) if all(each is not b for b, *_ in BAD_ROWS.values())
    ]
    assert found["accepted"] == len(good) == len(stored(mine))
    assert found["rejected"] == len(BAD_ROWS)
    errors = {error["row"]: error for error in found["errors"]}
    assert errors.keys() == set(range(1, len(rows) + 1)) - set(good)
    for error, (name, (_row, field, reason)) in zip(found["errors"], BAD_ROWS.items(), strict=True):
        assert error["field"] == field and reason in error["reason"], name
    assert stored(theirs, "globex") == []


def test_three_bad_rows_of_a_thousand_leave_997(machine):
    mine = defined()
    rows = [row(at=at(NOW - n * MINUTE)) for n in range(1000)]
    rows[10]["good"], rows[500]["at"], rows[999]["indicator"] = 13, "now", "nothing"
    found = machine.send(rows)
    assert found["accepted"] == 997 == len(stored(mine))
    assert [error["row"] for error in found["errors"]] == [11, 501, 1000]


def test_a_key_of_one_system_sends_its_indicators_alone(app):
    mine = defined()
    with make.acting("admin"):
        other = system_of("underwriting").id
    theirs = defined("other-system", system_id=other)
    machine = Machine(app, system_id=other)
    found = machine.send([row(), row(indicator="other-system")])
    assert (found["accepted"], found["rejected"]) == (1, 1)
    assert "no access" in found["errors"][0]["reason"]
    assert stored(mine) == [] and len(stored(theirs)) == 1


# ---- rejected batches


@pytest.mark.parametrize(
    ("body", "status", "title"),
    [
        (b'{"rows": [', 400, "isn't valid JSON"),
        (b"[" * 100_000, 400, "isn't valid JSON"),
        (b"\xff\xfe\x00", 400, "isn't valid JSON"),
        (b"[]", 422, 'with "rows"'),
        (b'{"rows": {}}', 422, 'with "rows"'),
        (b'{"rows": []}', 422, "at least one row"),
        (b'{"rows": [{}], "row": 1}', 422, "row is not a field"),
        (b'{"rows": [{}], "backfill": true}', 422, "backfill"),
        (b'{"rows": [{}], "backfill": {"reason": " "}}', 422, "backfill"),
        (b'{"rows": [{}], "backfill": {"reason": "a\\u0000b"}}', 422, "one line"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(machine, body, status, title):
    defined()
    assert title in machine.send(data=body, then=status)["title"]


def test_too_many_rows_or_bytes_are_refused_before_they_are_stored(machine):
    mine = defined()
    assert "10,000 rows" in machine.send([row()] * 10_001, then=413)["title"]
    large = b'{"rows": [' + b" " * (12 * 1024 * 1024) + b"]}"
    assert "8 MB" in machine.send(data=large, then=413)["title"]
    assert "8 MB" in machine.send(data=gzip.compress(large), encoding="gzip", then=413)["title"]
    assert stored(mine) == []
    machine.send(data=b"no gzip", encoding="gzip", then=400)
    machine.send(data=gzip.compress(b'{"rows": []}')[:-9], encoding="gzip", then=400)
    machine.send(data=b"{}", encoding="br", then=422)
    machine.send(data=b"{}", kind="text/csv", then=422)


def test_only_a_key_of_the_scope_sends(app, machine):
    defined()
    reader = Machine(app, ["audit:read"], name="reader")
    assert "indicators:write" in reader.send([row()], then=403)["title"]
    reader.secret = "gc_acme_" + "A" * 43
    reader.send([row()], then=401)
    assert machine.send([row()])["accepted"] == 1
    stranger = Machine(app, slug="globex")
    assert stranger.send([row()])["rejected"] == 1


# ---- once for each Idempotency-Key


def test_a_repetition_gets_the_same_answer_and_another_body_none(app, machine):
    mine = defined()
    first = machine.post([row(), row(good=13)], key="batch-1")
    again = machine.post([row(), row(good=13)], key="batch-1")
    assert again.json == first.json and again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert "different batch" in machine.send([row(good=11)], key="batch-1", then=422)["title"]
    assert stored(mine) == [("11:30", 12, 12)]
    other = Machine(app, name="other")
    assert other.send([row(good=11)], key="batch-1") == answer(corrected=1)
    machine.send([row()], key="k" * 256, then=422)


def test_a_repetition_while_the_first_is_in_progress_is_refused(app, machine, engine):
    defined()
    with make.acting("admin") as who:
        name = f"{who.tenant_id}:indicators {machine.key_id} batch-1"
    with engine.connect() as other:
        other.execute(select(func.pg_advisory_lock(func.hashtextextended(name, 0))))
        assert "in progress" in machine.send([row()], key="batch-1", then=409)["title"]
        assert machine.send([row()], key="batch-2")["accepted"] == 1


def test_answers_are_kept_for_seven_days(machine):
    defined()
    machine.send([row()], key="batch-1")
    with clock.frozen(NOW + timedelta(days=6, hours=23)), make.acting():
        assert batch_actions.delete_old() == 0
    with clock.frozen(NOW + timedelta(days=7, minutes=1)):
        found = machine.send([row(at=at(NOW + timedelta(days=7)))], key="batch-1")
        assert found == answer(accepted=1)
    with clock.frozen(NOW + timedelta(days=15)), make.acting():
        assert batch_actions.delete_old() == 1
        assert session().scalars(select(ReceivedBatch)).all() == []


# ---- late minutes


def test_a_backfill_says_why_and_the_log_keeps_it(machine):
    mine, late = defined(), at(NOW - timedelta(days=399))
    assert machine.send([row(at=late)])["rejected"] == 1
    found = machine.send([row(at=late), row()], backfill={"reason": "The exporter was down"})
    assert found == answer(accepted=2)
    too_late = [row(at=at(NOW - timedelta(days=401)))]
    found = machine.send(too_late, backfill={"reason": "The exporter was down"})
    assert "400 days" in found["errors"][0]["reason"]
    lines = "\n".join(
        json.dumps(each) for each in ({"backfill": {"reason": "Again"}}, row(at=late, good=3))
    )
    again = machine.send(data=lines.encode(), kind="application/x-ndjson")
    assert again == answer(corrected=1)
    with make.acting("admin"):
        entries = session().scalars(
            select(AuditEntry)
            .where(AuditEntry.action == "indicator.minutes.backfilled")
            .order_by(AuditEntry.at, AuditEntry.id)
        )
        assert [(e.facts["added"], e.facts["corrected"], e.target_id) for e in entries] == [
            (2, 0, mine),
            (0, 1, mine),
        ]


def test_minutes_of_a_clock_change_are_those_of_utc(machine):
    """Store both hours of 25 Oct 2026 in Berlin, whose minutes differ in UTC."""
    night = datetime(2026, 10, 25, 0, 0, tzinfo=UTC)
    with clock.frozen(datetime(2026, 10, 26, tzinfo=UTC)):
        mine = defined()
        rows = [
            row(at=f"2026-10-25T02:{n:02}:00{zone}")
            for zone in ("+02:00", "+01:00")
            for n in range(60)
        ]
        assert machine.send(rows)["accepted"] == 120
        with make.acting("admin"):
            hours = queries.hourly(mine, Span(night, night + timedelta(hours=4)))
    assert [(at.hour, counts.minutes) for at, counts in hours] == [(0, 60), (1, 60)]


# ---- the API description


def test_the_answers_are_what_is_described(client, machine):
    defined()
    told = json.loads(client.get("/api/v1/openapi.json").data)
    sent = {"rows": [row(), row(indicator="nothing")]}
    checks = {
        "IndicatorBatch": sent,
        "IndicatorResult": machine.send(sent["rows"]),
        "Problem": machine.send([], then=422),
    }
    for name, value in checks.items():
        schema = {"$ref": f"#/components/schemas/{name}", "components": told["components"]}
        Draft202012Validator(schema).validate(copy.deepcopy(value))
        assert not Draft202012Validator(schema).is_valid({"rows": "none"}), name
