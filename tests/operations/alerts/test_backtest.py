"""The back-test: the same alerts as the evaluation, minute for minute, and their value."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.operations.alerts.backtest import (
    Fired,
    History,
    IncidentSpan,
    alerts_of,
    result,
)
from governance.operations.alerts.burn_rules import (
    DEFAULT_RULES,
    BurnRule,
    judge_all,
    lengths,
)
from governance.operations.alerts.life_cycle import step
from governance.operations.measurements.scoring import Counts
from tests.hypothesis_profiles import examples

THREE_NINES = Fraction(999, 1000)
MONTH = 30 * 1440
FAST = DEFAULT_RULES[0]
ONE_WINDOW = BurnRule(Fraction(5, 100), 60, 1, "page")


def history(rows, end, kind="ratio", start=0, hidden=()):
    return History.of(kind, start, end, rows, hidden)


def steady(end, *, per_minute=100, bad=None, gaps=()):
    """Return even traffic. `bad` maps ranges of minutes to the share that fails."""
    for minute in range(end):
        if any(minute in gap for gap in gaps):
            continue
        share = next((s for part, s in (bad or {}).items() if minute in part), 0)
        yield minute, per_minute - int(per_minute * share), per_minute, share == 1


def fired(rows, end, rules=DEFAULT_RULES, **options):
    return alerts_of(
        rules, history(rows, end, **options), target=THREE_NINES, window=MONTH, since=0
    )


def test_total_failure_fires_the_fast_rule_in_the_first_minute():
    alerts = fired(steady(700, bad={range(300, 400): 1}), 700, [FAST])
    assert [each.at for each in alerts] == [301]  # The evaluation at the end of minute 300.


def test_the_fast_rule_resets_within_minutes_thanks_to_its_short_window():
    alert = fired(steady(700, bad={range(300, 303): 1}), 700, [FAST])[0]
    assert alert.end - 303 <= 2 * FAST.short


def test_without_a_short_window_it_would_burn_for_58_minutes():
    """Reproduce the workbook, "Alert on burn rate": 5% in 1 h is 36 times.

    It resets in 58 minutes.
    """
    assert ONE_WINDOW.factor(MONTH) == 36
    minutes = 3  # Minutes needed to exceed: 36 × 0.1% × 60 min = 2.16 min.
    totals = {
        at: Counts(60, 0, 6000 - 100 * bad, 6000)
        for at in range(600)
        for bad in [len(range(max(at - 60, 300), min(at, 300 + minutes)))]
    }
    limit = ONE_WINDOW.factor(MONTH) * (1 - THREE_NINES)
    burning = [at for at, c in totals.items() if Fraction(c.lost("ratio"), c.total) > limit]
    assert burning[0] == 303
    assert burning[-1] + 1 - (300 + minutes) == 58


def test_one_burst_over_all_rules_is_one_alert():
    alerts = fired(steady(3000, bad={range(1000, 1200): 1}), 3000)
    assert len(alerts) == 1
    assert alerts[0].severity == "page"
    assert len(alerts[0].rules) == 4


def test_a_gap_never_fires_and_an_alert_in_it_does_not_resolve():
    assert fired(steady(900, gaps=[range(300, 600)]), 900) == []
    alert = fired(steady(900, bad={range(295, 300): 1}, gaps=[range(300, 800)]), 900, [FAST])[0]
    assert (alert.at, alert.end) == (296, 808)  # 3 of 5 minutes are known at 803, then 5 are clear.


def test_hidden_minutes_do_not_fire():
    rows = list(steady(700, bad={range(300, 320): 1}))
    assert len(fired(rows, 700, [FAST])) == 1
    assert fired(rows, 700, [FAST], hidden=[(300, 320)]) == []


def test_an_alert_that_still_burns_has_no_end():
    alert = fired(steady(400, bad={range(300, 400): 1}), 400)[0]
    assert (alert.at, alert.end) == (301, None)


# ---- compared with the evaluation, minute by minute


def evaluated(rules, rows, kind, end, window, target):
    """Judge and step each minute by itself, as the live evaluation does."""
    found = {minute: (good, total, down) for minute, good, total, down in rows}

    def counts(at, length):
        some = [found[m] for m in range(max(at - length, 0), at) if m in found]
        return Counts(
            len(some),
            sum(d for *_, d in some),
            sum(g for g, *_ in some),
            sum(t for _, t, _ in some),
        )

    alert, began, alerts = None, 0, []
    for at in range(1, end + 1):
        verdict = judge_all(
            rules,
            {length: counts(at, length) for length in lengths(rules, window)},
            kind=kind,
            target=target,
            window=window,
        )
        before = alert
        alert, happened = step(alert, verdict.firing, verdict.statuses, at)
        if happened == "fired":
            began = at
        elif happened == "resolved":
            alerts.append(Fired(began, at, before.severity, tuple(before.rules)))
    if alert:
        alerts.append(Fired(began, None, alert.severity, tuple(alert.rules)))
    return alerts


SMALL = (
    BurnRule(Fraction(2, 10), 12, 2, "page", min_bad=2, min_total=4),
    BurnRule(Fraction(3, 10), 24, 4, "ticket", min_bad=2, min_total=4),
)
MINUTES = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 2))), min_size=1, max_size=90
)


@settings(max_examples=examples(25))
@given(MINUTES, st.sampled_from(["ratio", "downtime"]), st.sampled_from([(), SMALL[:1], SMALL]))
def test_the_back_test_gives_the_alerts_of_the_evaluation(minutes, kind, rules):
    rows = [
        (at, good, good + bad, bad > 0 and good == 0)
        for at, minute in enumerate(minutes)
        if minute is not None
        for good, bad in [minute]
    ]
    end, window, target = len(minutes), 48, Fraction(9, 10)
    mine = alerts_of(rules, history(rows, end, kind), target=target, window=window, since=0)
    theirs = evaluated(rules, rows, kind, end, window, target)
    assert [each._replace(rules=()) for each in mine] == [
        each._replace(rules=()) for each in theirs
    ]
    assert [set(each.rules) for each in mine] == [set(each.rules) for each in theirs]


# ---- the value of the alerts


def compared(alerts, incidents, rows=(), end=1000):
    return result(alerts, incidents, history(rows, end))


def test_precision_and_times_are_counted_against_declared_incidents():
    alerts = [
        Fired(105, 160, "page", ()),
        Fired(300, 330, "ticket", ()),
        Fired(505, 560, "page", ()),
    ]
    incidents = [
        IncidentSpan("INC-1", 100, 150),
        IncidentSpan("INC-2", 498, 540),
        IncidentSpan("INC-3", 800, None),
    ]
    rows = list(steady(1000, bad={range(295, 310): 1}))
    found = compared(alerts, incidents, rows)
    assert (found.found, found.incidents) == (2, 3)
    assert found.precision == Fraction(2, 3)
    assert found.detect == 6  # 5 and 7 minutes.
    assert found.reset == 20  # 10, 20 (from the last loss) and 20 minutes.


def test_nothing_to_compare_is_not_a_number():
    nothing = compared([], [])
    assert (nothing.precision, nothing.detect, nothing.reset) == (None, None, None)
    assert compared([Fired(1, 2, "page", ())], []).precision is None


def test_an_alert_from_before_an_incident_detects_it_at_once():
    found = compared([Fired(90, None, "page", ())], [IncidentSpan("INC-1", 100, None)])
    assert (found.found, found.detect, found.reset) == (1, 0, None)
