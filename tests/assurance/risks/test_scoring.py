"""Scores before and after controls, and the validity of an acceptance."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.controls.status import RANK
from governance.assurance.risks.acceptance_state import GivenAcceptance, acceptance_state
from governance.assurance.risks.scales import DEFAULT, check_scale, check_score
from governance.assurance.risks.scoring import Mitigation, residual, statuses, why_changed
from governance.assurance.risks.source_lists import LISTS, SOURCES, label, short_labels
from governance.kernel.errors import Invalid

TODAY = date(2026, 11, 27)


def mitigation(status="effective", axis="likelihood", steps=2, ref="GRD-01"):
    return Mitigation(uuid4(), ref, "Grounding check", axis, steps, status)


def test_an_effective_control_earns_its_steps_and_a_failing_one_none():
    assert residual(5, 4, [mitigation()]).score == 3 * 4
    assert residual(5, 4, [mitigation("failing")]).score == 5 * 4
    assert residual(5, 4, [mitigation(), mitigation(axis="impact", steps=3)]).score == 3 * 1
    assert residual(5, 4, [mitigation(None)]).score == 20  # It was retired.


def test_an_evidenced_control_earns_half_and_the_sum_is_rounded_up():
    after = residual(5, 4, [mitigation("evidenced", steps=3)])
    assert after.likelihood == 4
    assert after.sums[0].words == "5 − 1½ = 3½, rounded up to 4"
    two = residual(5, 4, [mitigation("evidenced", steps=1), mitigation("evidenced", steps=1)])
    assert two.likelihood == 4 and two.sums[0].words == "5 − 1 = 4"
    assert residual(5, 4, []).sums[1].words == "4, nothing earned"


def test_a_score_never_falls_below_one():
    after = residual(2, 1, [mitigation(steps=4)])
    assert (after.likelihood, after.impact) == (1, 1)
    assert after.sums[0].words == "2 − 4 = −2, at least 1"


MITIGATIONS = st.lists(
    st.builds(
        mitigation,
        status=st.sampled_from([*RANK, None]),
        axis=st.sampled_from(["likelihood", "impact"]),
        steps=st.integers(1, 4),
    ),
    max_size=5,
)


@given(st.integers(1, 5), st.integers(1, 5), MITIGATIONS, st.integers(0, 4))
def test_a_worse_status_never_gives_a_lower_score(likelihood, impact, controls, place):
    before = residual(likelihood, impact, controls)
    assert 1 <= before.likelihood <= likelihood and 1 <= before.impact <= impact
    if place < len(controls):
        here = controls[place]
        worse = RANK[: RANK.index(here.status)] if here.status else ()
        for status in (*worse, None):
            changed = [*controls]
            changed[place] = replace(here, status=status)
            assert residual(likelihood, impact, changed).score >= before.score


def test_a_changed_score_says_which_control_changed_it():
    before = statuses([mitigation(), mitigation(ref="GRD-02")])
    after = statuses([mitigation("failing"), mitigation(ref="SEC-01")])
    assert why_changed(before, after) == (
        "GRD-01 is failing, was effective; SEC-01 was added; GRD-02 was removed"
    )


# ---- the scale


@pytest.mark.parametrize(("likelihood", "impact"), [(0, 1), (6, 1), (1, 0), (1, 6), (-1, 3)])
def test_a_step_that_the_scale_lacks_is_refused(likelihood, impact):
    check_score(DEFAULT, likelihood=5, impact=5)
    with pytest.raises(Invalid) as refused:
        check_score(DEFAULT, likelihood=likelihood, impact=impact)
    assert refused.value.field == ("impact" if 1 <= likelihood <= 5 else "likelihood")


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("likelihood", {"likelihood": ("Rare", "Likely")}),
        ("likelihood", {"likelihood": ("Rare", "rare", "Likely", "More", "Most")}),
        ("impact", {"impact": tuple("abcdefgh")}),
        ("impact", {"impact": ("x" * 41, "b", "c", "d", "e")}),
        ("high_to", {"low_to": 9}),
        ("high_to", {"high_to": 25}),
        ("appetite", {"appetite": 26}),
        ("max_acceptance_days", {"max_acceptance_days": 0}),
    ],
)
def test_what_a_scale_may_not_be(field, changes):
    check_scale(DEFAULT)
    with pytest.raises(Invalid) as refused:
        check_scale(replace(DEFAULT, **changes))
    assert refused.value.field == field


def test_every_score_of_the_default_scale_is_in_a_band():
    found = [DEFAULT.band(score) for score in (1, 4, 5, 9, 10, 15, 16, 25)]
    assert found == [*["low"] * 2, *["medium"] * 2, *["high"] * 2, *["critical"] * 2]


# ---- the sources


def test_the_lists_have_every_published_risk_by_edition():
    counts = [sum(each.list_key == key for each in SOURCES.values()) for key, _name in LISTS]
    assert counts == [12, 10, 10, 10, 0]
    assert label("LLM03:2025") == "LLM03:2025 Supply Chain"
    assert label("LLM03:2026") == "LLM03:2026 Excessive Agency"
    assert label("ASI01:2026") == "ASI01:2026 Agent Goal Hijack"
    assert short_labels(["LLM09:2025", "NIST-2"]) == "LLM09:2025, NIST confabulation"
    assert short_labels([]) == "Own"


# ---- the state of an acceptance

GIVEN = GivenAcceptance(2, 4, (5, 5), TODAY + timedelta(days=60), lapsed=False)


def state(given=GIVEN, **changes):
    facts = {
        "is_needed": True,
        "is_requested": False,
        "residual": (2, 4),
        "scale_steps": (5, 5),
        "due_on": None,
    }
    return acceptance_state(given=given, today=TODAY, **facts | changes).name


def test_an_acceptance_holds_for_its_score_until_its_day():
    assert state() == "accepted"
    assert state(residual=(4, 4)) == state(residual=(1, 4)) == "stale"
    # The same product of another likelihood and impact is another risk.
    assert state(residual=(4, 2)) == "stale"
    assert state(scale_steps=(4, 4)) == "stale"
    assert state(replace(GIVEN, lapsed=True)) == "stale"
    assert state(replace(GIVEN, expires_on=TODAY)) == "expiring"
    assert state(replace(GIVEN, expires_on=TODAY - timedelta(days=1))) == "expired"
    assert state(replace(GIVEN, expires_on=TODAY), is_requested=True) == "requested"


def test_what_needs_no_acceptance_says_so():
    assert state(None) == "none"
    assert state(None, is_requested=True) == "requested"
    assert state(None, is_needed=False) == "not_needed"
    assert state(residual=(1, 1), is_needed=False) == "not_needed"
