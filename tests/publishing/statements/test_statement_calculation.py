"""Attainment, bands, cap and credit of a month, from its minute counts."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.kernel.intervals import Span
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.operations.measurements.scoring import IndicatorRule
from governance.publishing.statements.minute_counts import MonthCounts, Tally, decode, encode
from governance.publishing.statements.statement_calculation import (
    MixedCurrencies,
    changed_lines,
    why_not_counted,
)
from tests.hypothesis_profiles import examples
from tests.publishing.statements import statement_samples as samples
from tests.publishing.statements.statement_samples import at, exclusion, facts, result_of, version


@pytest.fixture(scope="module")
def counts():
    return samples.counts()


def test_screen_14_adds_up(counts):
    result = result_of(facts(), counts)
    triage, assistant = result["lines"]
    assert (triage["window"], triage["excluded"], triage["unknown"]) == (44_700, 240, 384)
    assert (triage["measured"], triage["lost"], triage["hidden_lost"]) == (44_076, 495, 66)
    assert triage["attained"] == "43581/44076"
    assert triage["without_exclusions"] == "43755/44316"
    assert (triage["result"], triage["share"], triage["credit"]) == ("missed", "1/10", 52_000)
    assert assistant["attained"] == "393630/418310"
    assert (assistant["share"], assistant["credit"]) == ("1/20", 24_000)
    assert (result["lines_total"], result["cap"], result["credit"]) == (76_000, 372_000, 76_000)
    assert (result["missed"], result["met"], result["not_determinable"]) == (2, 0, 0)


@pytest.mark.parametrize(
    ("lost", "share"),
    [(43, None), (44, "1/10"), (432, "1/10"), (433, "1/4"), (2160, "1/4"), (2161, "1")],
)
def test_bedrock_bands_in_a_30_day_month(lost, share):
    span = month_span([ZonePeriod(datetime(2020, 1, 1, tzinfo=UTC), "UTC")], Month(2026, 6))
    held = MonthCounts.of(
        span, [(span.start + n * samples.MINUTE, 0 if n < lost else 3, 3) for n in range(43_200)]
    )
    promise = {
        "clause": 1,
        "target": "0.999",
        "fee_part": 100_000,
        "bands": [["0.999", "0.1"], ["0.99", "0.25"], ["0.95", "1"]],
    }
    june = facts(
        span=[samples.text(span.start), samples.text(span.end)],
        month="2026-06",
        exclusions=[],
        indicators=samples.INDICATORS[:1],
        versions=[version(4, span.start, span.end, commitments=[promise], credit_cap="1")],
    )
    [line] = result_of(june, {samples.TRIAGE: held})["lines"]
    assert line["share"] == share


def test_the_cap_limits_the_sum(counts):
    result = result_of(facts(versions=[version(credit_cap="0.05")]), counts)
    assert (result["lines_total"], result["cap"]) == (76_000, 62_000)
    assert (result["over_cap"], result["credit"]) == (14_000, 62_000)


def test_below_minimum_coverage_nothing_is_determinable(counts):
    result = result_of(facts(versions=[version(minimum_coverage="0.995")]), counts)
    line = result["lines"][0]
    assert (line["result"], line["attained"], line["credit"]) == ("not determinable", None, 0)
    assert line["coverage"] == "44076/44460"
    assert (result["met"] + result["missed"], result["not_determinable"]) == (1, 1)


def test_a_month_without_any_data_is_never_100_per_cent():
    held = {key: MonthCounts.empty(samples.OCTOBER) for key in (samples.TRIAGE, samples.ASSISTANT)}
    result = result_of(facts(), held)
    assert [line["result"] for line in result["lines"]] == ["not determinable"] * 2
    assert result["credit"] == 0


@pytest.mark.parametrize(
    ("changed", "minutes"),
    [
        ({"ahead_hours": 46}, 0),
        ({"ahead_hours": 72}, 120),
        ({"ahead_hours": -5}, 0),  # Announced after the fact.
        ({"category": "force_majeure"}, 0),  # Not excluded by the agreement.
        ({"overruled": "DSP-3"}, 0),
        ({"category": "dispute", "ahead_hours": -5}, 120),
    ],
)
def test_which_exclusions_hide_minutes(counts, changed, minutes):
    its = facts(exclusions=[exclusion("MNT-5", at(18, 2), 120, **changed)])
    assert result_of(its, counts)["lines"][0]["excluded"] == minutes


@pytest.mark.parametrize(
    ("ahead_hours", "said"),
    [
        (72, None),
        (71.5, "It was announced 71 hours ahead; the agreement asks for 72."),
        (-0.5, "It was announced 0 hours ahead; the agreement asks for 72."),
    ],
)
def test_an_exclusion_says_in_whole_hours_how_late_it_was_announced(ahead_hours, said):
    its = exclusion("MNT-5", at(18, 2), 120, ahead_hours=ahead_hours)
    assert why_not_counted(its, version()["terms"]) == said


def test_overlapping_and_nested_exclusions_count_once(counts):
    its = facts(
        exclusions=[
            exclusion("MNT-1", at(18, 2), 120),
            exclusion("MNT-2", at(18, 3), 120),
            exclusion("MNT-3", at(18, 2, 30), 10),
        ]
    )
    assert result_of(its, counts)["lines"][0]["excluded"] == 180


def test_each_minute_is_scored_under_the_version_in_force_at_that_minute(counts):
    change = at(12, 4)  # 240 of the 495 minutes down are before it.
    strict = version(5, change, samples.OCTOBER.end, monthly_fee=2_480_000)
    its = facts(versions=[version(4, samples.OCTOBER.start, change), strict])
    result = result_of(its, counts)
    first, later = (line for line in result["lines"] if line["clause"] == 1)
    assert (first["version"], first["lost"], later["version"], later["lost"]) == (4, 240, 5, 255)
    assert first["window"] + later["window"] == 44_700
    assert Fraction(first["fee"]) == Fraction(520_000 * first["window"], 44_700)
    assert result["fee"] == round(
        Fraction(1_240_000 * first["window"] + 2_480_000 * later["window"], 44_700)
    )
    assert result["commitments"] == 2


def test_two_currencies_in_one_month_have_no_sum(counts):
    change = at(12)
    its = facts(
        versions=[
            version(4, samples.OCTOBER.start, change),
            version(5, change, samples.OCTOBER.end, currency="USD"),
        ]
    )
    with pytest.raises(MixedCurrencies):
        result_of(its, counts)


def test_service_hours_limit_the_window(counts):
    its = facts()
    its["versions"][0]["measured"]["1"]["hours"] = [
        [samples.text(at(12)), samples.text(at(12, 10))],
        [samples.text(at(13)), samples.text(at(13, 10))],
    ]
    line = result_of(its, counts)["lines"][0]
    assert (line["window"], line["lost"]) == (1200, 495)


SUPPORT = {
    "severity": 1,
    "response_minutes": 15,
    "resolution_minutes": 240,
    "clock": "24x7",
    "target": "0.95",
    "bands": [["0.95", "0.02"]],
    "fee_part": 1_240_000,
}


@pytest.mark.parametrize(
    ("count", "in_time", "result", "credit"),
    [(0, 0, "met", 0), (4, 4, "met", 0), (20, 19, "met", 0), (6, 5, "missed", 24_800)],
)
def test_support_in_time(counts, count, in_time, result, credit):
    its = facts(
        versions=[version(support=[SUPPORT], commitments=[])],
        support=[{"version": 4, "severity": 1, "count": count, "in_time": in_time}],
    )
    [line] = result_of(its, counts)["lines"]
    assert (line["result"], line["credit"]) == (result, credit)
    assert (line["measured"], line["lost"]) == (count, count - in_time)


def test_a_severity_without_incidents_meets_its_commitment_and_shows_no_share(counts):
    its = facts(versions=[version(support=[SUPPORT], commitments=[])], support=[])
    result = result_of(its, counts)
    [line] = result["lines"]
    assert (line["result"], line["attained"], line["credit"]) == ("met", None, 0)
    assert (line["measured"], line["lost"]) == (0, 0)
    assert (result["met"], result["missed"], result["not_determinable"]) == (1, 0, 0)


@pytest.mark.parametrize(("count", "in_time"), [(2, 3), (2, -1), (-1, -1)])
def test_counts_that_are_no_part_of_their_incidents_are_refused(counts, count, in_time):
    its = facts(
        versions=[version(support=[SUPPORT], commitments=[])],
        support=[{"version": 4, "severity": 1, "count": count, "in_time": in_time}],
    )
    with pytest.raises(ValueError, match=f"{in_time} of {count} in time"):
        result_of(its, counts)


@pytest.mark.parametrize(
    ("later_target", "missed", "undetermined"),
    [
        ("0.99", 1, 1),  # Availability: not determinable, then met.
        ("0.995", 2, 0),  # Availability: not determinable, then missed.
    ],
)
def test_the_worst_part_of_a_split_month_decides_each_commitment(
    counts, later_target, missed, undetermined
):
    change = at(12, 4)
    promises = samples.terms()["commitments"]
    later = [promises[0] | {"target": later_target, "bands": []}, promises[1]]
    its = facts(
        versions=[
            version(4, samples.OCTOBER.start, change, minimum_coverage="0.995"),
            version(5, change, samples.OCTOBER.end, commitments=later, support=[SUPPORT]),
        ]
    )
    result = result_of(its, counts)
    assert (result["missed"], result["not_determinable"]) == (missed, undetermined)
    assert (result["commitments"], result["met"]) == (3, 1)  # Support is met.


def test_only_maintenance_needs_a_notice_and_only_where_the_agreement_asks_for_one():
    late = {"ahead_hours": -5}
    terms = version(excluded_categories=["maintenance", "force_majeure"])["terms"]
    storm = exclusion("MNT-5", at(18, 2), 120, category="force_majeure", **late)
    unannounced = exclusion("MNT-6", at(18, 2), 120) | {"announced_at": None}
    assert why_not_counted(storm, terms) is None
    assert why_not_counted(unannounced, terms) == "It was never announced."
    assert why_not_counted(unannounced, terms | {"maintenance_notice_hours": 0}) is None


def test_the_currency_is_that_of_the_versions_and_none_without_a_version(counts):
    assert result_of(facts(versions=[version(currency="CHF")]), counts)["currency"] == "CHF"
    nothing = result_of(facts(versions=[]), counts)
    assert (nothing["currency"], nothing["lines"], nothing["credit"]) == ("", [], 0)


def test_the_budget_left_is_exact_and_unknown_where_attainment_is(counts):
    left = result_of(facts(), counts)["lines"][0]["left"]
    assert Fraction(left) == Fraction(1, 100) * 44_076 - 495
    strict = facts(versions=[version(minimum_coverage="0.995")])
    assert result_of(strict, counts)["lines"][0]["left"] is None


def test_what_late_data_changed(counts):
    before = result_of(facts(), counts)
    later = samples.counts()
    for place in range(204):
        samples.put(later[samples.TRIAGE], at(9, 10) + place * samples.MINUTE, 3, 3)
    [change] = changed_lines(before, result_of(facts(), later))
    assert change.name == "claims-triage · Availability"
    assert (change.before["unknown"], change.after["unknown"]) == (384, 180)
    assert change.differs("unknown") and not change.differs("excluded")


def test_a_commitment_that_begins_or_ends_is_a_change_with_its_name(counts):
    both = result_of(facts(), counts)
    first = samples.terms()["commitments"][:1]
    one = result_of(facts(versions=[version(commitments=first)]), counts)
    [begun], [ended] = changed_lines(one, both), changed_lines(both, one)
    assert begun.name == ended.name == "support-assistant · First token"
    assert (begun.values("share"), ended.values("share")) == ([None, "1/20"], ["1/20", None])
    assert changed_lines(both, both) == []


# ---- minute counts

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"])


@given(zone=ZONES, month=st.integers(1, 12), seed=st.integers(0, 10**6), kind=st.booleans())
@settings(max_examples=examples(12), deadline=None)
def test_a_month_reads_as_it_was_written(zone, month, seed, kind):
    span = month_span([ZonePeriod(datetime(2020, 1, 1, tzinfo=UTC), zone)], Month(2028, month))
    rule = IndicatorRule("downtime" if kind else "ratio", 2, Fraction(1, 3))
    held = MonthCounts.empty(span)
    for place in range(0, span.minutes, 1 + seed % 97):
        total = (place * seed) % 7
        held.put(span.start + place * samples.MINUTE, (place * seed) % (total + 1), total)
    found = decode(encode(held, rule), span, "x", rule)
    assert found.wrong == []
    assert (found.counts.good, found.counts.total) == (held.good, held.total)


@given(data=st.data())
@settings(max_examples=examples(15), deadline=None)
def test_sums_over_spans_are_those_of_counting(data):
    span = Span(at(1), at(1) + timedelta(minutes=300))
    rule = IndicatorRule("downtime", 1)
    held = MonthCounts.of(
        span,
        [
            (at(1) + n * samples.MINUTE, good, 2)
            for n in range(300)
            if (good := data.draw(st.integers(-1, 2))) >= 0
        ],
    )
    start, length = data.draw(st.integers(-20, 310)), data.draw(st.integers(1, 200))
    part = samples.span(at(1) + start * samples.MINUTE, length)
    places = [n for n in range(300) if start <= n < start + length]
    found = Tally(held, rule).counts([part])
    assert found.minutes == sum(held.total[n] >= 0 for n in places)
    assert found.down == sum(held.good[n] == 0 for n in places)
    assert found.good == sum(max(held.good[n], 0) for n in places)
