"""Our scale by examples and properties: levels credit evidence; coverage counts a point once."""

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.assurance.assessments.coverage import (
    EVIDENCED,
    LEVELS,
    RULE,
    DerivedLevel,
    RequirementLevel,
    coverage,
    derive_level,
    explain_fall,
    gaps,
    is_proven,
    level_of,
)
from governance.assurance.controls.status import RANK, ControlFacts, Status, StatusReason
from governance.assurance.controls.status import status as status_of
from tests.assurance.controls.control_facts import (
    FROM,
    TO,
    TODAY,
    a_control,
    a_proof,
    a_test,
    a_version,
    controls,
    proofs,
)

CONTROL = ControlFacts(
    UUID(int=1),
    "SEC-01",
    "A control",
    "",
    "preventive",
    "manual",
    "monthly",
    None,
    None,
    1,
    date(2026, 1, 1),
    (),
    (),
    (),
)
BAD = {"failing": "bad", "missing": "warn", "due": "warn", "evidenced": "open"}


def status(name, *, has_evidence=True):
    reasons = (
        (StatusReason(BAD[name], f"It is {name}.", "", "control", "SEC-01", None),)
        if name in BAD
        else ()
    )
    return Status(name, has_evidence, name, name, reasons)


def possible():
    """Draw statuses as status() returns them.

    Only failing and missing ones can lack accepted evidence.
    """
    bare = st.sampled_from(("failing", "missing")).map(
        lambda name: status(name, has_evidence=False)
    )
    return st.sampled_from(RANK).map(status) | bare


answers = st.lists(st.tuples(st.sampled_from(["full", "partial"]), possible()), max_size=6)
requirements = st.lists(
    st.builds(
        RequirementLevel,
        st.sampled_from(["MAP 1.1", "MAP 1.2", "GOVERN 1.1"]),
        st.integers(0, 4),
        st.integers(0, 4),
        st.sampled_from(["MAP", "GOVERN"]),
    ),
    max_size=12,
)


def with_control(each):
    return [(CONTROL, how_far, found) for how_far, found in each]


@given(answers, st.data())
def test_a_worse_control_never_gives_a_better_level(each, data):
    if not each:
        return
    at = data.draw(st.integers(0, len(each) - 1))
    how_far, found = each[at]
    worse = data.draw(st.sampled_from(RANK[: found.rank + 1]))
    changed = [
        *each[:at],
        (how_far, status(worse, has_evidence=found.has_evidence)),
        *each[at + 1 :],
    ]
    assert level_of(changed) <= level_of(each)


@given(answers, st.data())
def test_less_coverage_never_gives_a_better_level(each, data):
    """Exempt controls that work only on the day: covering a part, they limit no level."""
    fulls = [n for n, (how_far, _) in enumerate(each) if how_far == "full"]
    if not fulls:
        return
    at = data.draw(st.sampled_from(fulls))
    changed = [*each[:at], ("partial", each[at][1]), *each[at + 1 :]]
    assert level_of(changed) <= level_of(each) or each[at][1].name == "evidenced"


@given(answers)
def test_the_levels_mean_what_they_say(each):
    names, level = {found.name for _, found in each}, level_of(each)
    assert (level == 0) == (not any(found.has_evidence for _, found in each))
    assert (level == 1) == (level > 0 and "failing" in names)
    if level >= 3:
        assert names <= {"evidenced", "effective"} and any(how_far == "full" for how_far, _ in each)
    if level == 4:
        assert all(found.name == "effective" for how_far, found in each if how_far == "full")


@given(answers)
def test_every_level_below_the_highest_says_why_and_what_lifts_it(each):
    derived = derive_level(with_control(each))
    assert derived.level == level_of(each)
    assert derived.word == LEVELS[derived.level]
    assert bool(derived.reasons) == (derived.level < 4)
    assert [bool(text) for text in derived.ladder] == [n > derived.level for n in range(5)]
    assert (
        derived.is_red == (not each or any(found.name == "failing" for _, found in each))
        or derived.level == 4
    )
    assert derived.is_proven == is_proven(derived.level)
    assert len(set(derived.reasons)) == len(derived.reasons)


# ---- proven


def judged(control):
    return status_of(control, today=TODAY, period_from=FROM, period_to=TO)


def level(*mapped):
    """Return the level of a requirement that these controls fully cover."""
    return level_of(("full", judged(control)) for control in mapped)


FRESH = a_control(a_proof(a_version()))
DUE_SOON = a_version(valid=date(2026, 12, 9))


@pytest.mark.parametrize(
    ("mapped", "expected"),
    [
        ([], 0),
        ([a_control()], 0),  # Designed, no evidence item.
        ([a_control(a_proof())], 0),  # Nothing uploaded.
        ([a_control(a_proof(a_version(review="pending")))], 0),  # Not reviewed.
        ([a_control(a_proof(a_version(review="rejected")))], 0),
        (
            [a_control(a_proof(due_on=date(2026, 11, 20)))],
            0,
        ),  # Overdue, and never accepted.
        ([a_control(tests=[a_test()])], 0),  # A passed test without evidence.
        (
            [a_control(a_proof(a_version(valid=date(2026, 11, 20))))],
            1,
        ),  # Accepted, and now overdue.
        ([a_control(a_proof(a_version()), tests=[a_test(1)])], 1),  # A sample failed.
        ([a_control(a_proof(a_version()), a_proof())], 2),  # One of two items.
        ([FRESH, a_control(a_proof())], 2),  # One of two controls.
        ([FRESH], 3),
        ([a_control(a_proof(DUE_SOON))], 3),  # Due in 14 days, so not late yet.
        ([a_control(a_proof(a_version()), tests=[a_test()])], 4),
        ([a_control(a_proof(DUE_SOON), tests=[a_test()])], 4),
    ],
)
def test_a_level_is_credit_for_evidence(mapped, expected):
    assert level(*mapped) == expected
    assert is_proven(expected) == (expected >= 3)


def test_nothing_is_proven_in_part():
    assert level_of([("partial", judged(FRESH))]) == 2
    assert level_of([("partial", judged(FRESH)), ("full", judged(FRESH))]) == 3


def test_what_only_falls_due_is_no_reason_and_no_gap():
    derived = derive_level([(CONTROL, "full", judged(a_control(a_proof(DUE_SOON))))])
    assert judged(a_control(a_proof(DUE_SOON))).name == "due"
    assert [reason.fact for reason in derived.reasons] == ["The control has never been tested."]


requirement = st.lists(st.tuples(st.sampled_from(["full", "partial"]), controls), max_size=3)


def level_with(mapped):
    return level_of((how_far, judged(control)) for how_far, control in mapped)


def accepted(control):
    return [
        version
        for proof in control.proofs
        for version in proof.versions
        if version.review == "accepted"
    ]


@given(requirement)
def test_nothing_is_proven_or_covered_without_accepted_evidence(mapped):
    bare = [(how_far, control) for how_far, control in mapped if not accepted(control)]
    assert level_with(bare) == 0 and not is_proven(level_with(bare))


@given(requirement)
def test_proven_means_that_all_evidence_of_every_control_is_accepted_and_valid(mapped):
    if is_proven(level_with(mapped)):
        assert level_with(mapped) >= EVIDENCED
        for proof in (proof for _, control in mapped for proof in control.proofs):
            assert any(v.review == "accepted" and v.valid_until >= TODAY for v in proof.versions)
        assert any(how_far == "full" for how_far, _ in mapped)
        assert not any(
            t.failed for _, control in mapped for t in control.tests[-1:] if len(control.tests) == 1
        )


@given(requirement, st.sampled_from(["full", "partial"]), st.lists(proofs, max_size=2))
def test_another_control_without_evidence_never_makes_it_proven(mapped, how_far, more):
    without = a_control(*(replace(proof, versions=()) for proof in more))
    assert not is_proven(level_with([*mapped, (how_far, without)]))


@given(requirement, st.data())
def test_taking_a_version_away_never_makes_it_proven(mapped, data):
    places = [
        (n, i, j)
        for n, (_, c) in enumerate(mapped)
        for i, p in enumerate(c.proofs)
        for j in range(len(p.versions))
    ]
    assume(places)
    n, i, j = data.draw(st.sampled_from(places))
    how_far, control = mapped[n]
    proof = control.proofs[i]
    kept = replace(proof, versions=(*proof.versions[:j], *proof.versions[j + 1 :]))
    less = replace(control, proofs=(*control.proofs[:i], kept, *control.proofs[i + 1 :]))
    changed = [*mapped[:n], (how_far, less), *mapped[n + 1 :]]
    assert is_proven(level_with(changed)) <= is_proven(level_with(mapped))


@given(requirements)
def test_proven_is_read_off_the_levels(rows):
    share = coverage(rows)
    assert (
        share.proven
        == sum(is_proven(row.level) for row in rows)
        == share.levels[3] + share.levels[4]
    )
    assert len(RULE) == len(LEVELS)


def test_a_fall_is_explained_also_before_anything_is_late():
    def fallen(level, severity, fact):
        reason = StatusReason(severity, fact, "", "evidence", "EV-0007", None)
        return explain_fall(DerivedLevel(level, (reason,), (), ()))

    assert fallen(1, "bad", "Scan is 2 days overdue.") == "Scan is 2 days overdue."
    assert (
        fallen(2, "warn", "Scan is in review.")
        == "Nothing is overdue. Level 3 needs all evidence accepted and current: Scan is in review."
    )
    assert fallen(3, "open", "The control has never been tested.").startswith(
        "Nothing is overdue. Level 4 needs passed tests and evidence for the whole period: "
    )
    assert explain_fall(DerivedLevel(4, (), (), ())) == ""


# ---- coverage


@given(requirements)
def test_coverage_counts_each_point_once(rows):
    share = coverage(rows)
    assert 0 <= share.reached <= share.wanted
    assert 0 <= share.percent <= 100
    assert sum(share.levels) == share.count == len(rows)
    assert (share.met == share.count) == (share.reached == share.wanted)


@given(requirements)
def test_closing_every_gap_is_worth_what_is_missing(rows):
    found, share = gaps(rows), coverage(rows)
    assert abs(sum(gap.moves for gap in found) - (100 - share.percent)) < 1e-6
    assert [gap.moves for gap in found] == sorted((gap.moves for gap in found), reverse=True)
    assert all(gap.moves_function >= gap.moves for gap in found)


def test_what_stands_above_its_target_makes_up_for_nothing():
    assert coverage([RequirementLevel("A 1", 4, 2), RequirementLevel("A 2", 0, 2)]).percent == 50
    assert coverage([]).percent == 100
