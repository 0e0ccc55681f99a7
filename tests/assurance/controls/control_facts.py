"""Controls with evidence and tests for pure tests: by hand, and as Hypothesis strategies."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from hypothesis import strategies as st

from governance.assurance.controls.status import ControlFacts, SupportingEvidence, TestFacts
from governance.assurance.evidence.freshness import CADENCES, Version

TODAY, FROM, TO = date(2026, 11, 25), date(2025, 12, 1), date(2026, 11, 30)
NOBODY = UUID(int=0)


def a_version(
    number=1,
    *,
    collected=date(2026, 11, 1),
    valid=date(2027, 1, 31),
    review="accepted",
    period=(FROM, TODAY),
):
    return Version(
        number, collected, collected, *period, valid, review, "ab" * 32, "upload", "Anna Rossi"
    )


def a_proof(
    *versions, cadence="quarterly", due_on=None, owner="Anna Rossi", title="Penetration test"
):
    return SupportingEvidence(UUID(int=7), "EV-0412", title, cadence, due_on, owner, versions)


def a_test(failed=0, sample=25, on=date(2026, 11, 20)):
    return TestFacts(
        on,
        sample,
        failed,
        "EXC-14" if failed else None,
        "release without its sign-off" if failed else "",
        None,
        "Jun Chen",
    )


def a_control(*proofs, tests=()):
    return ControlFacts(
        UUID(int=1),
        "SEC-04",
        "Third-party penetration test",
        "does",
        "detective",
        "manual",
        "quarterly",
        NOBODY,
        "Anna Rossi",
        1,
        FROM,
        ((NOBODY, "full"),),
        proofs,
        tuple(tests),
    )


days = st.dates(date(2025, 1, 1), date(2027, 12, 31))


@st.composite
def versions(draw, number=1):
    start = draw(days)
    end = start + timedelta(days=draw(st.integers(0, 200)))
    collected = draw(st.dates(date(2025, 1, 1), TODAY))
    return Version(
        number,
        collected,
        collected,
        start,
        end,
        max(end, draw(days)),
        draw(st.sampled_from(["pending", "accepted", "rejected"])),
        None,
        "upload",
        "Anna Rossi",
    )


@st.composite
def proofs(draw):
    held = [replace(v, number=n) for n, v in enumerate(draw(st.lists(versions(), max_size=4)), 1)]
    return SupportingEvidence(
        UUID(int=draw(st.integers(1, 99))),
        "EV-1",
        "Proof",
        draw(st.sampled_from(list(CADENCES))),
        draw(st.none() | days),
        draw(st.sampled_from([None, "Anna Rossi"])),
        tuple(held),
    )


@st.composite
def some_tests(draw):
    sample = draw(st.integers(1, 40))
    return a_test(draw(st.integers(0, min(2, sample))), sample, draw(st.dates(FROM, TODAY)))


controls = st.builds(
    lambda p, t: a_control(*p, tests=t),
    st.lists(proofs(), max_size=3),
    st.lists(some_tests(), max_size=3),
)
