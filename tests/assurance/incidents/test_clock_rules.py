"""Statutory and support clocks as pure rules: published periods, order, and the next deadline."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.incidents import clocks, statutory_rules
from governance.assurance.incidents.clocks import (
    Decision,
    Sent,
    StatutoryFacts,
    SupportFacts,
    SupportRule,
    duration_text,
)

AWARE = datetime(2026, 11, 25, 8, 36, tzinfo=UTC)
APPLIES = Decision(applies=True, by="Ines Duarte", at=AWARE)


def facts(**more) -> StatutoryFacts:
    return replace(StatutoryFacts(AWARE, None, {}, {}), **more)


def due(key: str, variant: str = "", sent=None, fixed_at=None) -> list[datetime | None]:
    law = statutory_rules.regime(key)
    found = clocks.statutory(
        facts(
            decisions={key: replace(APPLIES, variant=variant)}, sent=sent or {}, fixed_at=fixed_at
        ),
        [law],
        AWARE,
    )
    return [each.due_at for each in found]


@pytest.mark.parametrize(
    ("variant", "days"), [("serious", 15), ("widespread", 2), ("death", 10), ("unknown", 15)]
)
def test_the_ai_act_gives_15_days_2_when_widespread_and_10_for_a_death(variant, days):
    assert due("ai-act", variant) == [AWARE + timedelta(days=days)]


def test_gdpr_gives_72_hours():
    assert due("gdpr") == [AWARE + timedelta(hours=72)]


def test_nis2_gives_24_hours_72_hours_and_a_month_after_the_notification():
    notification = AWARE + timedelta(hours=72)
    assert due("nis2") == [
        AWARE + timedelta(hours=24),
        notification,
        datetime(2026, 12, 28, 8, 36, tzinfo=UTC),
    ]
    early = AWARE + timedelta(hours=30)
    sent = {("nis2", "notification"): Sent(early)}
    assert due("nis2", sent=sent)[2] == datetime(2026, 12, 26, 14, 36, tzinfo=UTC)


def test_cra_gives_24_hours_72_hours_and_14_days_after_a_fix():
    assert due("cra") == [AWARE + timedelta(hours=24), AWARE + timedelta(hours=72), None]
    fixed = AWARE + timedelta(hours=5)
    assert due("cra", fixed_at=fixed)[2] == fixed + timedelta(days=14)
    assert due("cra", "severe")[2] == datetime(2026, 12, 28, 8, 36, tzinfo=UTC)


def test_a_month_after_the_31st_ends_on_the_last_day():
    start = datetime(2027, 1, 31, 10, tzinfo=UTC)
    stage = statutory_rules.Stage("report", "Report", "Art. 1", months=1)
    assert clocks.after(start, stage) == datetime(2027, 2, 28, 10, tzinfo=UTC)


def test_a_law_before_its_date_does_not_apply_and_stays_shown():
    early = datetime(2026, 8, 1, 12, tzinfo=UTC)
    (found,) = clocks.statutory(facts(aware_at=early), [statutory_rules.regime("ai-act")], early)
    assert (found.state, found.text) == ("off", "applies from 2 Aug 2026")


def test_what_does_not_apply_stays_with_its_reason_and_who_decided():
    decision = Decision(applies=False, reason="no personal data breach", by="Ines Duarte")
    (found,) = clocks.statutory(
        facts(decisions={"gdpr": decision}), [statutory_rules.regime("gdpr")], AWARE
    )
    assert found.state == "off"
    assert found.text == "not applicable: no personal data breach"
    assert "Ines Duarte" in found.note


def test_what_nobody_decided_is_open_until_its_deadline_and_then_missed():
    law = statutory_rules.regime("nis2")
    (before,) = clocks.statutory(facts(), [law], AWARE + timedelta(hours=24))
    (after,) = clocks.statutory(facts(), [law], AWARE + timedelta(hours=24, seconds=1))
    assert (before.state, after.state) == ("open", "missed")


def test_a_notice_in_time_is_met_and_one_second_later_is_late():
    law, at = statutory_rules.regime("gdpr"), AWARE + timedelta(hours=72)
    for sent, state in ((at, "met"), (at + timedelta(seconds=1), "late")):
        (found,) = clocks.statutory(
            facts(
                decisions={"gdpr": APPLIES},
                sent={("gdpr", "notification"): Sent(sent, recipient="LfDI")},
            ),
            [law],
            sent,
        )
        assert found.state == state


def test_every_rule_has_a_source_a_date_and_a_recipient():
    for version, laws in statutory_rules.VERSIONS.items():
        assert version >= 1
        for law in laws:
            assert law.source.startswith("https://eur-lex.europa.eu/")
            assert date(2018, 1, 1) < law.applies_from < date(2027, 1, 1)
            assert law.recipient
            assert law.variants
            keys = {stage.key for variant in law.variants for stage in variant.stages}
            starts = {stage.start for variant in law.variants for stage in variant.stages}
            assert starts <= keys | {"awareness", "fix"}


def test_the_amended_act_is_a_version_of_its_own_with_the_same_periods():
    first, amended = (statutory_rules.regime("ai-act", version) for version in (1, 2))
    assert first.law == "Regulation (EU) 2024/1689" and not first.doubt
    assert amended.law == "Regulation (EU) 2024/1689 as amended by (EU) 2026/1744"
    assert "Whether Article 73 binds before is unresolved" in amended.doubt
    assert amended.variants == first.variants
    others = [each for each in statutory_rules.regimes(1) if each.key != "ai-act"]
    assert others == [each for each in statutory_rules.regimes(2) if each.key != "ai-act"]
    assert statutory_rules.regime("ai-act") == amended


RULE = SupportRule(
    "1 h",
    AWARE + timedelta(hours=1),
    "8 business hours",
    AWARE + timedelta(hours=9),
    "AGR-2, SEV2, business hours",
)


def test_support_clocks_run_until_answered_and_a_pause_takes_the_deadline_away():
    now = AWARE + timedelta(hours=2)
    response, resolution = clocks.support(SupportFacts(AWARE, None, None), RULE, now)
    assert (response.state, resolution.state) == ("missed", "running")
    _, paused = clocks.support(SupportFacts(AWARE, AWARE, None, is_paused=True), RULE, now)
    assert (paused.state, paused.due_at) == ("paused", None)
    answered = SupportFacts(AWARE, AWARE + timedelta(minutes=22), AWARE + timedelta(hours=10))
    assert [each.state for each in clocks.support(answered, RULE, now)] == ["met", "late"]


def test_the_next_deadline_is_the_earliest_that_is_not_done():
    found = clocks.statutory(facts(), statutory_rules.regimes(), AWARE)
    nearest = clocks.next_due(found)
    assert nearest is not None
    assert nearest.regime in {"nis2", "cra"}
    assert clocks.next_due([]) is None


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=60)))
def test_a_deadline_is_never_before_awareness_and_states_only_get_worse(later):
    law = statutory_rules.regime("nis2")
    now = AWARE + later
    (found,) = clocks.statutory(facts(), [law], now)
    assert found.due_at is not None
    assert found.due_at >= AWARE
    assert (found.state == "missed") == (now > found.due_at)


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(minutes=22), "22 min"),
        (timedelta(hours=6, minutes=26, seconds=59), "6 h 26 min"),
        (timedelta(hours=8), "8 h"),
        (timedelta(days=3, hours=4), "3 days 4 h"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_durations_read_plainly(length, text):
    assert duration_text(length) == text
