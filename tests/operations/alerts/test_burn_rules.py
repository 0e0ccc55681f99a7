"""Burn-rate rules: the published numbers, the two windows, low traffic, rule sets as JSON."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.alerts.burn_rules import (
    DEFAULT_RULES,
    BurnRule,
    decimal_text,
    exhausted_in,
    judge,
    judge_all,
    lengths,
    whole_window_rule,
)
from governance.operations.alerts.rule_sets import plain_rules, read_rules, rule_text
from governance.operations.measurements.scoring import Counts

DAY = 1440
MONTH = 30 * DAY
THREE_NINES = Fraction(999, 1000)
FAST = DEFAULT_RULES[0]


def factors(window):
    return [rule.factor(window) for rule in DEFAULT_RULES]


def test_factors_of_30_and_28_days_are_those_published():
    assert [float(each) for each in factors(30 * DAY)] == [14.4, 6, 3, 1]
    shown = [round(float(each), 3) for each in factors(28 * DAY)]
    assert shown == [13.44, 5.6, 2.8, 0.933]


def test_factors_of_calendar_months_follow_their_length():
    assert factors(31 * DAY)[0] == Fraction(1488, 100)
    assert factors(29 * DAY)[1] == Fraction(58, 10)
    assert factors(31 * DAY - 60)[0] == Fraction(2, 100) * (31 * 24 - 1)  # DST takes an hour.


def test_a_constant_burn_exhausts_30_days_as_the_workbook_says():
    def days(burn):
        return exhausted_in(Fraction(burn), MONTH) / DAY

    assert [days(1), days(2), days(10)] == [30, 15, 3]
    assert round(float(exhausted_in(Fraction(1000), MONTH))) == 43
    assert round(float(exhausted_in(Fraction(35), MONTH) / 60), 2) == 20.57  # "20.5 hours".
    assert exhausted_in(Fraction(0), MONTH) is None
    assert exhausted_in(Fraction(3), MONTH, Fraction(-1, 10)) == 0


def test_total_failure_at_three_nines_reaches_the_fast_rule_after_52_seconds():
    allowed_burn = FAST.factor(MONTH) * (1 - THREE_NINES)  # Share of failed requests.
    assert round(FAST.long * allowed_burn / Fraction(1) * 60) == 52


def test_one_failure_at_ten_requests_an_hour_is_13_9_percent_of_a_30_day_budget():
    budget = (1 - THREE_NINES) * 10 * 24 * 30
    assert round(float(1 / budget) * 100, 1) == 13.9


@pytest.mark.parametrize(
    ("target", "days", "can_fire"),
    [
        ("0.977", 90, True),
        ("0.976", 90, False),
        ("0.926", 28, True),
        ("0.925", 28, False),
        ("1", 90, True),
    ],
)
def test_a_page_rule_whose_limit_is_above_every_event_lost_cannot_fire(target, days, can_fire):
    """Compute factors: 2% in 1 h of 90 days is 43.2 times the even pace, of 28 days 13.44 times."""
    everything = Counts(minutes=60, down=60, good=0, total=6000)
    found = judge(
        FAST,
        long=everything,
        short=everything,
        kind="ratio",
        target=Fraction(target),
        window=days * 1440,
    )
    assert found.can_fire is can_fire
    assert (found.status == "firing") is can_fire


def judged(long, short, *, rule=FAST, kind="ratio", target=THREE_NINES):
    return judge(rule, long=long, short=short, kind=kind, target=target, window=MONTH)


def test_both_windows_must_exceed():
    calm, burning = Counts(60, 0, 59_990, 60_000), Counts(60, 0, 59_000, 60_000)
    short_calm, short_burning = Counts(5, 0, 5000, 5000), Counts(5, 0, 4900, 5000)
    assert judged(burning, short_burning).status == "firing"
    assert judged(burning, short_calm).status == "clear"
    assert judged(calm, short_burning).status == "clear"
    assert judged(calm, short_calm).status == "clear"


def test_a_burn_of_exactly_the_factor_does_not_exceed():
    exact = Counts(60, 0, 9856, 10_000)  # 1.44% of 0.1%: 14.4.
    assert judged(exact, exact).long_burn == Fraction("14.4")
    assert judged(exact, exact).status == "clear"


def test_fewer_than_3_bad_or_100_events_do_not_fire():
    burning = Counts(5, 0, 1, 5)
    assert judged(Counts(60, 0, 97, 99), burning).status == "clear"
    assert judged(Counts(60, 0, 97, 99), burning).lacks_traffic
    assert not judged(Counts(20, 0, 97, 99), burning).lacks_traffic  # A gap.
    assert judged(Counts(60, 0, 98, 100), burning).status == "clear"
    assert judged(Counts(60, 0, 97, 100), burning).status == "firing"


def test_downtime_counts_requests_and_a_probe_a_minute_is_enough():
    target = Fraction(995, 1000)
    probes, short = Counts(60, 6, 54, 60), Counts(5, 5, 0, 5)
    assert judged(probes, short, kind="downtime", target=target).status == "firing"
    two = Counts(60, 2, 58, 60)
    assert judged(two, short, kind="downtime", target=target).status == "clear"
    quiet = judged(Counts(60, 6, 49, 59), short, kind="downtime", target=target)
    assert (quiet.status, quiet.lacks_traffic) == ("clear", True)


def test_a_gap_neither_fires_nor_resolves():
    burning = Counts(60, 0, 59_000, 60_000)
    assert judged(burning, Counts()).status == "unknown"
    assert judged(Counts(), Counts()).status == "unknown"
    assert judged(burning, Counts(2, 0, 2000, 2000)).status == "unknown"  # 2 of 5 minutes.
    assert judged(burning, Counts(3, 0, 3000, 3000)).status == "clear"
    assert judged(burning, Counts(5, 0, 0, 0)).status == "unknown"  # Known minutes without events.


def counts_for(rate, bad_share):
    """Return counts of every window of the default rules, at `rate` requests/h."""
    found = {}
    for minutes in lengths(DEFAULT_RULES, MONTH):
        total = rate * minutes // 60
        found[minutes] = Counts(minutes, 0, total - int(total * bad_share), total)
    return found


def test_low_traffic_is_judged_by_the_slow_rule_over_the_whole_window():
    busy = judge_all(
        DEFAULT_RULES, counts_for(10_000, 0), kind="ratio", target=THREE_NINES, window=MONTH
    )
    assert not busy.lacks_traffic
    few = counts_for(10, Fraction(2, 1000))  # Twice the budget over 30 days.
    calm = {**few, 3600: Counts(3600, 0, 600, 600)}
    verdict = judge_all(DEFAULT_RULES, calm, kind="ratio", target=THREE_NINES, window=MONTH)
    assert [each.lacks_traffic for each in verdict.rules] == [True, True, False, False]
    assert verdict.lacks_traffic
    assert not verdict.firing  # None of the last 2.5 days failed.
    verdict = judge_all(DEFAULT_RULES, few, kind="ratio", target=THREE_NINES, window=MONTH)
    assert list(verdict.firing) == ["1-43200-3600"]
    assert verdict.firing["1-43200-3600"].severity == "ticket"


def test_the_slow_rule_does_not_apply_where_there_is_traffic():
    counts = {
        **counts_for(10_000, 0),
        43200: Counts(43200, 0, 900, 1000),
        3600: Counts(3600, 0, 9, 99),
    }
    verdict = judge_all(DEFAULT_RULES, counts, kind="ratio", target=THREE_NINES, window=MONTH)
    assert not verdict.firing
    assert verdict.statuses["1-43200-3600"] == "unknown"  # It burns, so it isn't clear.


def test_the_slow_rule_of_a_long_window_reads_90_days():
    rule = whole_window_rule(360 * DAY)
    assert (rule.long, rule.factor(360 * DAY)) == (90 * DAY, 4)


@given(st.integers(1, 200), st.integers(0, 200), st.integers(1, 10**6), st.integers(1, 366 * DAY))
def test_a_rule_fires_exactly_above_its_share_of_the_budget(scale, lost, measured, window):
    """Use even traffic: the long window lost more than this share of its budget."""
    lost = min(lost, measured)
    rule = BurnRule(Fraction(scale, 1000), 60, 5, "page", min_bad=0, min_total=0)
    counts = Counts(60, 0, measured - lost, measured)
    allowed = (1 - THREE_NINES) * measured * Fraction(window, 60) * rule.budget_share
    verdict = judge(
        rule, long=counts, short=counts, kind="ratio", target=THREE_NINES, window=window
    )
    assert (verdict.status == "firing") == (lost > allowed)


# ---- rule sets as JSON


def test_rule_sets_are_read_as_they_are_written():
    assert read_rules(plain_rules(DEFAULT_RULES)) == DEFAULT_RULES
    assert read_rules(None) == read_rules({}) == DEFAULT_RULES
    assert read_rules([]) == ()
    assert read_rules({"rules": plain_rules(DEFAULT_RULES[:1])}) == DEFAULT_RULES[:1]
    assert plain_rules([FAST]) == [
        {
            "budget_share": "0.02",
            "long_minutes": 60,
            "short_minutes": 5,
            "severity": "page",
            "min_bad": 3,
            "min_total": 100,
        }
    ]


RULE = {"budget_share": "0.02", "long_minutes": 60, "short_minutes": 5, "severity": "page"}


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        ("text", "A rule set is a list of rules."),
        ([1], "A rule is an object"),
        ([{**RULE, "budget_share": "0"}], "above 0 and at most 1"),
        ([{**RULE, "budget_share": "NaN"}], "above 0 and at most 1"),
        ([{**RULE, "budget_share": "Infinity"}], "above 0 and at most 1"),
        ([{**RULE, "budget_share": None}], "above 0 and at most 1"),
        ([{**RULE, "long_minutes": 1.5}], "long_minutes is a whole number"),
        ([{**RULE, "long_minutes": True}], "long_minutes is a whole number"),
        ([{**RULE, "short_minutes": 0}], "short_minutes is a whole number"),
        ([{**RULE, "short_minutes": 60}], "shorter than the long window"),
        ([{**RULE, "severity": "shout"}], "a page or a ticket"),
        ([{**RULE, "min_bad": -1}], "min_bad is a whole number from 0"),
        ([RULE, RULE], "Two rules are the same"),
        ([{**RULE, "short_minutes": n} for n in range(1, 10)], "at most 8 rules"),
    ],
)
def test_rule_sets_that_mean_nothing_are_refused(raw, sentence):
    with pytest.raises(ValueError, match=sentence):
        read_rules(raw)


def test_rules_read_as_people_say_them():
    assert [rule_text(each) for each in DEFAULT_RULES] == [
        "2% in 1 h",
        "5% in 6 h",
        "10% in 24 h",
        "10% in 3 days",
    ]
    assert decimal_text(Fraction(1, 8)) == "0.125"
