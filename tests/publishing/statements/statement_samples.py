"""The month of screen 14 without a database: October 2026 of Acme in Europe/Berlin."""

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.audit import checkpoint
from governance.kernel.intervals import Span
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.kernel.safety.signed_note import b64, verifier_key
from governance.operations.agreements.terms import fingerprint_of
from governance.publishing.statements import data_file
from governance.publishing.statements.minute_counts import MonthCounts, Tally, encode
from governance.publishing.statements.statement_calculation import calculate, rule_of

MINUTE = timedelta(minutes=1)
ZONES = [ZonePeriod(datetime(2020, 1, 1, tzinfo=UTC), "Europe/Berlin")]
OCTOBER = month_span(ZONES, Month(2026, 10))
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
KEY = verifier_key(PRIVATE, "console.example")
TRIAGE, ASSISTANT = "claims-triage-availability", "first-token"


def text(at):
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def at(day, hour=0, minute=0):
    return datetime(2026, 10, day, hour, minute, tzinfo=UTC)


def terms(**changed):
    return {
        "format": "meridian.agreement-terms.v1",
        "agreement": "AGR-2",
        "currency": "EUR",
        "monthly_fee": 1_240_000,
        "credit_cap": "0.3",
        "minimum_coverage": "0.95",
        "maintenance_notice_hours": 72,
        "excluded_categories": ["maintenance"],
        "commitments": [
            {
                "clause": 1,
                "target": "0.99",
                "bands": [["0.99", "0.1"], ["0.98", "0.25"]],
                "fee_part": 520_000,
            },
            {"clause": 2, "target": "0.95", "bands": [["0.95", "0.05"]], "fee_part": 480_000},
        ],
        "support": [],
    } | changed


def version(number=4, start=OCTOBER.start, end=OCTOBER.end, **changed):
    its = terms(**changed)
    return {
        "number": number,
        "from": text(start),
        "to": text(end),
        "terms": its,
        "fingerprint": fingerprint_of(its),
        "measured": {
            "1": {"name": "claims-triage · Availability", "indicators": [TRIAGE], "hours": None},
            "2": {
                "name": "support-assistant · First token",
                "indicators": [ASSISTANT],
                "hours": None,
            },
        },
    }


def exclusion(ref, start, minutes, *, ahead_hours=100, category="maintenance", overruled=None):
    return {
        "ref": ref,
        "title": f"Window {ref}",
        "category": category,
        "from": text(start),
        "to": text(start + minutes * MINUTE),
        "announced_at": text(start - timedelta(hours=ahead_hours)),
        "indicators": [TRIAGE],
        "overruled_by": overruled,
    }


def incident(ref, start, minutes):
    end = start + minutes * MINUTE
    return {"ref": ref, "from": text(start), "to": text(end), "indicators": [TRIAGE]}


INDICATORS = [
    {
        "key": TRIAGE,
        "name": "Availability",
        "kind": "downtime",
        "unit": "requests",
        "min_requests": 1,
        "floor": "0",
    },
    {
        "key": ASSISTANT,
        "name": "First token",
        "kind": "threshold",
        "unit": "answers",
        "min_requests": 1,
        "floor": "0",
    },
]


def facts(**changed):
    """Return the facts of screen 14, without counts."""
    return {
        "month": "2026-10",
        "zones": [[text(since), zone] for since, zone in ZONES],
        "span": [text(OCTOBER.start), text(OCTOBER.end)],
        "agreement": {
            "ref": "AGR-2",
            "name": "Acme",
            "direction": "to_tenant",
            "counterparty": "Acme Insurance",
        },
        "versions": [version()],
        "indicators": INDICATORS,
        "exclusions": [
            exclusion("MNT-4", at(4, 2), 120),
            exclusion("MNT-5", at(18, 2), 120),
        ],
        "support": [],
    } | changed


def counts():
    """Return 44,700 minutes: 384 without data, 240 excluded with 66 down, 495 down outside."""
    triage = MonthCounts.empty(OCTOBER)
    for place in range(OCTOBER.minutes):
        triage.put(OCTOBER.start + place * MINUTE, 3, 3)
    for place in range(384):
        put(triage, at(9, 10) + place * MINUTE, -1, -1)
    down(triage, at(4, 2), 25)
    down(triage, at(18, 2), 41)
    down(triage, at(12), 495)
    assistant = MonthCounts.empty(OCTOBER)
    left, slow = 418_310, 24_680
    for place in range(OCTOBER.minutes):
        total = min(left, 10) if place < 41_831 else 0
        lost = min(slow, total)
        assistant.put(OCTOBER.start + place * MINUTE, total - lost, total)
        left, slow = left - total, slow - lost
    return {TRIAGE: triage, ASSISTANT: assistant}


def put(counts, moment, good, total):
    place = (moment - counts.span.start) // MINUTE
    counts.good[place], counts.total[place] = good, total


def down(counts, start, minutes):
    for place in range(minutes):
        put(counts, start + place * MINUTE, 0, 3)


def result_of(its, held):
    rules = {each["key"]: rule_of(each) for each in its["indicators"]}
    return calculate(its, {key: Tally(held[key], rules[key]) for key in held})


def statement(its=None, held=None):
    """Return the statement of a data file."""
    its, held = its or facts(), held or counts()
    rules = {each["key"]: rule_of(each) for each in its["indicators"]}
    listed = []
    for each in its["indicators"]:
        whole = Tally(held[each["key"]], rules[each["key"]]).counts([held[each["key"]].span])
        listed.append(
            each
            | {
                "sums": [whole.minutes, whole.down, whole.good, whole.total],
                "days": encode(held[each["key"]], rules[each["key"]]),
            }
        )
    return its | {
        "tenant": {"slug": "acme", "name": "Acme Insurance"},
        "revision": 2,
        "closed_at": "2026-11-06T05:04:00Z",
        "incidents": [incident("INC-29", at(12), 495)],
        "indicators": listed,
        "result": result_of(its, held),
        "log": None,
        "signing_key": KEY,
    }


def signed(its=None, held=None):
    return data_file.sign(PRIVATE, "console.example", "acme-AGR-2-2026-10-r2", statement(its, held))


def span(start, minutes):
    return Span(start, start + minutes * MINUTE)


LOG = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
LOG_KEY = verifier_key(LOG, "log.example")


def with_checkpoint(**changed):
    """Return the signed data file with a checkpoint of the audit log."""
    note = checkpoint.sign(LOG, "log.example", checkpoint.Head("log.example", 1139, b"r" * 32))
    log = {"origin": "log.example", "size": 1139, "root": b64(b"r" * 32), "note": note}
    return data_file.sign(PRIVATE, "console.example", "acme", statement() | {"log": log | changed})
