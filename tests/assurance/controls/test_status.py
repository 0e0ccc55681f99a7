"""The status of a control, by examples and properties: worse facts never improve it."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.assurance.controls.runtime_dependencies import OpenWaiver, RuntimeFacts, SwitchFacts
from governance.assurance.controls.status import RANK, longest_gap, status
from governance.assurance.evidence.freshness import freshness
from tests.assurance.controls.control_facts import (
    FROM,
    NOBODY,
    TO,
    TODAY,
    a_control,
    a_proof,
    a_test,
    a_version,
    controls,
    proofs,
    versions,
)
from tests.hypothesis_profiles import examples


def judged(control, today=TODAY):
    return status(control, today=today, period_from=FROM, period_to=TO)


@pytest.mark.parametrize(
    ("control", "name", "word", "fact"),
    [
        (a_control(a_proof(a_version()), tests=[a_test()]), "effective", "Effective", None),
        (
            a_control(a_proof(a_version())),
            "evidenced",
            "Evidenced",
            "The control has never been tested.",
        ),
        (
            a_control(
                a_proof(
                    a_version(valid=date(2026, 11, 13), period=(FROM, date(2026, 6, 30))),
                    owner=None,
                )
            ),
            "failing",
            "Evidence overdue",
            "Penetration test is 12 days overdue.",
        ),
        (
            a_control(a_proof(a_version()), tests=[a_test(1)]),
            "failing",
            "1 of 25 failed",
            "1 of 25 samples failed.",
        ),
        (
            a_control(a_proof(a_version()), tests=[a_test(1), a_test(0, on=date(2026, 11, 22))]),
            "effective",
            "Effective",
            None,
        ),
        (
            a_control(a_proof(a_version(review="rejected"))),
            "failing",
            "Evidence rejected",
            "Penetration test was rejected.",
        ),
        (a_control(), "missing", "Evidence missing", "No evidence is linked."),
        (a_control(a_proof()), "missing", "Evidence missing", "Penetration test is missing."),
        (
            a_control(a_proof(a_version(review="pending"))),
            "missing",
            "In review",
            "Penetration test is in review.",
        ),
        (
            a_control(a_proof(a_version()), a_proof(a_version(review="pending"), title="Scope")),
            "due",
            "In review",
            "Scope is in review.",
        ),
        (
            a_control(a_proof(a_version(valid=date(2026, 12, 5)))),
            "due",
            "Due 5 Dec",
            "Penetration test is due 5 Dec.",
        ),
        (
            a_control(a_proof(a_version(collected=date(2026, 10, 15)), cadence="monthly")),
            "due",
            "41 days old",
            "Penetration test is 41 days old.",
        ),
        (
            a_control(a_proof(due_on=date(2026, 11, 20))),
            "failing",
            "Evidence overdue",
            "Penetration test is 5 days overdue.",
        ),
        (
            a_control(a_proof(a_version(period=(date(2026, 8, 1), TODAY))), tests=[a_test()]),
            "evidenced",
            "Evidenced",
            "Penetration test has a gap from 1 December 2025 to 31 July 2026.",
        ),
    ],
)
def test_the_status_says_what_and_why(control, name, word, fact):
    found = judged(control)
    assert (found.name, found.word) == (name, word)
    assert [r.fact for r in found.reasons][:1] == ([fact] if fact else [])


def test_the_reasons_say_what_it_means_and_lead_to_the_object():
    overdue = a_proof(
        a_version(valid=date(2026, 11, 13), period=(FROM, date(2026, 6, 30))), owner=None
    )
    first, second = judged(a_control(a_proof(title="Filter test"), overdue)).reasons
    assert (
        first.consequence
        == "The last accepted version covers the period until 30 June 2026. It has no owner."
    )
    assert (first.severity, first.kind, first.ref, first.target_id) == (
        "bad",
        "evidence",
        "EV-0412",
        UUID(int=7),
    )
    assert second.severity == "warn"


def test_a_gap_is_the_longest_stretch_without_an_accepted_version():
    pieces = [
        a_version(1, period=(date(2026, 1, 1), date(2026, 3, 31))),
        a_version(2, period=(date(2026, 3, 1), date(2026, 6, 30))),
    ]
    waiting = a_version(3, review="pending", period=(FROM, TODAY))
    assert longest_gap(a_proof(*pieces, waiting), since=FROM, until=TODAY) == (
        date(2026, 7, 1),
        TODAY,
    )
    assert longest_gap(a_proof(a_version()), since=FROM, until=TODAY) is None
    assert longest_gap(a_proof(), since=FROM, until=TODAY) == (FROM, TODAY)


# ---- properties


def with_version(control, which, change):
    """Return the control with one of its versions changed."""
    places = [(i, j) for i, p in enumerate(control.proofs) for j in range(len(p.versions))]
    if not places:
        return control
    i, j = places[which % len(places)]
    proof = control.proofs[i]
    held = tuple(change(v) if n == j else v for n, v in enumerate(proof.versions))
    return replace(
        control,
        proofs=tuple(
            replace(proof, versions=held) if n == i else p for n, p in enumerate(control.proofs)
        ),
    )


def rank(control, today=TODAY):
    """Return both results: the status as shown, and the one that levels derive from."""
    found = judged(control, today)
    assert RANK.index(found.current) >= found.rank
    return BothAnswers(found.rank, RANK.index(found.current))


@dataclass(frozen=True)
class BothAnswers:
    shown: int
    current: int

    def __le__(self, other):
        return self.shown <= other.shown and self.current <= other.current


@settings(max_examples=examples(80), deadline=None)
@given(controls)
def test_every_status_below_effective_has_a_reason_and_it_is_deterministic(control):
    found = judged(control)
    assert found == judged(control)
    assert found.name in RANK and found.word
    assert bool(found.reasons) == (found.name != "effective")
    assert all(r.fact.endswith(".") and r.consequence.endswith(".") for r in found.reasons)
    if found.name == "failing":
        assert found.reasons[0].severity == "bad"


WORSE = {
    "a judgement withdrawn": lambda v: replace(
        v, review="pending" if v.review == "accepted" else v.review
    ),
    "a version rejected": lambda v: replace(v, review="rejected"),
    "collected earlier": lambda v: replace(v, collected_on=v.collected_on - timedelta(days=90)),
    "valid for less long": lambda v: replace(v, valid_until=v.valid_until - timedelta(days=60)),
    "covers less": lambda v: replace(v, period_to=v.period_from),
}


@settings(max_examples=examples(100), deadline=None)
@given(controls, st.integers(0, 50), st.sampled_from(sorted(WORSE)))
def test_a_worse_version_never_gives_a_better_status(control, which, how):
    assert rank(with_version(control, which, WORSE[how])) <= rank(control)


@settings(max_examples=examples(80), deadline=None)
@given(controls)
def test_only_evidence_that_falls_due_sets_the_two_answers_apart(control):
    found = judged(control)
    if found.current != found.name:
        assert found.name == "due" and any(reason.severity == "soon" for reason in found.reasons)
    assert found.has_evidence == any(
        v.review == "accepted" for proof in control.proofs for v in proof.versions
    )


STATES = ("overdue", "rejected", "missing", "in review", "due", "fresh")


@settings(max_examples=examples(80), deadline=None)
@given(proofs, versions)
def test_one_more_accepted_version_never_makes_the_evidence_worse(proof, added):
    def state(held):
        return STATES.index(
            freshness(held, cadence=proof.cadence, due_on=proof.due_on, today=TODAY).state
        )

    if any(v.review == "accepted" for v in proof.versions):
        assert state((*proof.versions, replace(added, number=99, review="accepted"))) >= state(
            proof.versions
        )


@settings(max_examples=examples(60), deadline=None)
@given(controls, st.integers(1, 3))
def test_another_failing_test_never_lifts_the_status(control, failed):
    failing = replace(control, tests=(*control.tests, a_test(failed, on=TODAY)))
    assert judged(failing).name == "failing"
    assert rank(failing) <= rank(control)


@settings(max_examples=examples(60), deadline=None)
@given(controls)
def test_without_its_tests_a_passing_control_is_not_effective(control):
    untested = replace(control, tests=())
    assert judged(untested).name != "effective"
    if not any(t.failed for t in control.tests):
        assert rank(untested) <= rank(control)


@settings(max_examples=examples(80), deadline=None)
@given(controls, st.integers(1, 400))
def test_time_alone_never_makes_it_better(control, later):
    assert rank(control, TODAY + timedelta(days=later)) <= rank(control)


@settings(max_examples=examples(60), deadline=None)
@given(controls, proofs)
def test_one_more_unproven_thing_never_lifts_a_proven_control(control, other):
    unproven = replace(other, versions=(), due_on=None)
    if control.proofs:
        assert rank(replace(control, proofs=(*control.proofs, unproven))) <= rank(control)


# ---- dependencies: drills of switches, the active policy

PROVEN = a_control(a_proof(a_version()), tests=[a_test()])
ARMED = SwitchFacts(UUID(int=3), "claims-triage", date(2026, 11, 1), passed=True)
GROUNDING = OpenWaiver(UUID(int=4), "ad-copywriter", "grounding", date(2026, 12, 3))
STRICT = RuntimeFacts("policy", (), "Strict", 4, date(2026, 9, 3))


@pytest.mark.parametrize(
    ("live", "name", "word", "fact"),
    [
        (RuntimeFacts("drill", (ARMED,)), "effective", "Effective", None),
        (RuntimeFacts("drill"), "effective", "Effective", None),
        (
            RuntimeFacts("drill", (replace(ARMED, passed=False),)),
            "failing",
            "Drill failed",
            "The last drill of claims-triage failed on 1 November 2026.",
        ),
        (
            RuntimeFacts("drill", (replace(ARMED, drilled=date(2026, 8, 26)),)),
            "Due",
            "Drill due",
            "The kill switch of claims-triage needs a drill.",
        ),
        (
            RuntimeFacts("drill", (ARMED, SwitchFacts(UUID(int=5), "ad-copywriter"))),
            "due",
            "Drill due",
            "The kill switch of ad-copywriter needs a drill.",
        ),
        (STRICT, "effective", "Effective", None),
        (RuntimeFacts("policy"), "due", "No policy in force", "No policy has been published."),
        (
            replace(STRICT, tier="Baseline"),
            "due",
            "Baseline tier",
            "The tier in force is Baseline, the most permissive one.",
        ),
        (
            replace(STRICT, waivers=(GROUNDING,)),
            "due",
            "Waiver open",
            (
                "A waiver is open until 3 December 2026: grounding of ad-copywriter is below the"
                " platform minimum."
            ),
        ),
        (
            replace(STRICT, waivers=(GROUNDING, replace(GROUNDING, dimension="memory"))),
            "due",
            "Waivers open",
            (
                "2 waivers are open, the first until 3 December 2026: grounding of ad-copywriter,"
                " memory of ad-copywriter are below the platform minimum."
            ),
        ),
    ],
)
def test_what_it_rests_on_lowers_it_and_says_why(live, name, word, fact):
    found = judged(replace(PROVEN, live=live))
    assert (found.name, found.word) == (name.lower(), word)
    assert [r.fact for r in found.reasons] == ([fact] if fact else [])
    assert found.rests == (fact is not None)


def test_ninety_days_prove_a_switch_and_one_more_does_not():
    assert replace(ARMED, drilled=TODAY - timedelta(days=90)).proven(TODAY)
    assert not replace(ARMED, drilled=TODAY - timedelta(days=91)).proven(TODAY)


switches = st.builds(
    SwitchFacts,
    st.uuids(),
    st.sampled_from(["claims-triage", "ad-copywriter"]),
    st.none() | st.dates(date(2026, 1, 1), TODAY),
    passed=st.booleans(),
)
lives = st.builds(
    lambda held: RuntimeFacts("drill", tuple(held)), st.lists(switches, max_size=4)
) | st.builds(
    lambda tier, number, held: RuntimeFacts(
        "policy", (), tier, number, FROM if number else None, tuple(held)
    ),
    st.sampled_from(["Baseline", "Standard", "Regulated"]),
    st.integers(0, 3),
    st.lists(st.just(GROUNDING), max_size=3),
)


@settings(max_examples=examples(80), deadline=None)
@given(controls, lives)
def test_what_it_rests_on_never_lifts_a_control(control, live):
    resting = replace(control, live=live)
    found = judged(resting)
    assert rank(resting) <= rank(control)
    assert bool(found.reasons) == (found.name != "effective") and found.word
    assert set(judged(control).reasons) <= set(found.reasons)


WORSE_LIVE = {
    "a drill failed": lambda live: replace(
        live,
        switches=tuple(replace(s, drilled=s.drilled or FROM, passed=False) for s in live.switches),
    ),
    "a drill grew old": lambda live: replace(
        live,
        switches=tuple(
            replace(s, drilled=s.drilled and s.drilled - timedelta(days=100)) for s in live.switches
        ),
    ),
    "another switch, never drilled": lambda live: (
        replace(live, switches=(*live.switches, SwitchFacts(NOBODY, "new")))
        if live.rests_on == "drill"
        else live
    ),
    "another waiver": lambda live: (
        replace(live, waivers=(*live.waivers, GROUNDING)) if live.rests_on == "policy" else live
    ),
    "no policy": lambda live: replace(live, version=0, since=None),
    "the loosest tier": lambda live: replace(live, tier="Baseline"),
}


@settings(max_examples=examples(100), deadline=None)
@given(controls, lives, st.sampled_from(sorted(WORSE_LIVE)))
def test_a_worse_fact_never_gives_a_better_status(control, live, how):
    assert rank(replace(control, live=WORSE_LIVE[how](live))) <= rank(replace(control, live=live))


@settings(max_examples=examples(60), deadline=None)
@given(controls, lives, st.integers(1, 200))
def test_time_alone_proves_no_switch(control, live, later):
    resting = replace(control, live=live)
    assert rank(resting, TODAY + timedelta(days=later)) <= rank(resting)
