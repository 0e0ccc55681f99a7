"""The life cycle of an alert: one burst is one alert, which resolves only when it is clear."""

from governance.operations.alerts.burn_rules import DEFAULT_RULES
from governance.operations.alerts.life_cycle import step

FAST, SLOW, DAILY, _ = DEFAULT_RULES
ALL = {rule.key: rule for rule in DEFAULT_RULES}


def run(*minutes):
    """Step through minutes. Each names the rules that fire ("?": none, and unknown)."""
    alert, happened = None, []
    for at, minute in enumerate(minutes):
        unknown = minute == "?"
        firing = {} if unknown else {rule.key: rule for rule in minute}
        statuses = {
            key: "firing" if key in firing else "unknown" if unknown else "clear" for key in ALL
        }
        alert, what = step(alert, firing, statuses, at)
        if what:
            happened.append((at, what))
    return alert, happened


def test_three_rules_of_one_burst_are_one_alert_that_escalates_once():
    burst = [(DAILY,)] * 3 + [(DAILY, SLOW)] * 3 + [(DAILY, SLOW, FAST)] * 3
    alert, happened = run(*burst)
    assert happened == [(0, "fired"), (3, "escalated")]
    assert (alert.severity, set(alert.rules)) == ("page", {FAST.key, SLOW.key, DAILY.key})


def test_it_resolves_after_it_was_clear_for_its_short_window():
    alert, happened = run((FAST,), *[()] * 5)
    assert alert is not None
    assert happened == [(0, "fired")]
    alert, happened = run((FAST,), *[()] * 6)
    assert (alert, happened) == (None, [(0, "fired"), (6, "resolved")])


def test_a_burn_around_the_limit_does_not_flap():
    _, happened = run(*([(FAST,), (), (), ()] * 20))
    assert happened == [(0, "fired")]


def test_without_data_an_alert_cannot_resolve():
    alert, happened = run((FAST,), *["?"] * 500)
    assert alert is not None
    assert happened == [(0, "fired")]
    _, happened = run((FAST,), (), (), "?", *[()] * 6)
    assert happened == [(0, "fired"), (9, "resolved")]  # The gap restarts the count.


def test_an_alert_waits_for_every_rule_that_fired_in_it():
    _, happened = run((FAST, DAILY), *[(DAILY,)] * 30, *[()] * 61)
    assert happened == [(0, "fired"), (91, "resolved")]


def test_a_second_burst_escalates_again_after_the_first_calmed_down():
    _, happened = run((FAST, DAILY), *[(DAILY,)] * 10, (FAST, DAILY))
    assert happened == [(0, "fired"), (11, "escalated")]
    _, happened = run((FAST, DAILY), *[(DAILY,)] * 3, (FAST, DAILY))
    assert happened == [(0, "fired")]  # Still the same burst.


def test_a_removed_rule_counts_as_clear():
    alert, _ = step(None, {FAST.key: FAST}, {FAST.key: "firing"}, 0)
    for at in range(1, 6):
        alert, happened = step(alert, {}, {DAILY.key: "clear"}, at)
        assert happened is None
    assert step(alert, {}, {DAILY.key: "clear"}, 6) == (None, "resolved")


def test_nothing_fires_without_a_firing_rule():
    assert run(*[()] * 3, "?", ()) == (None, [])
