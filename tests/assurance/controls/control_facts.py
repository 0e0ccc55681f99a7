"""Controls with evidence and tests, handwritten or from Hypothesis strategies, for pure tests."""

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


# Strategies are created once: Hypothesis inspects a new one before it draws the first value.
days = st.dates(date(2025, 1, 1), date(2027, 12, 31))
until_today = st.dates(date(2025, 1, 1), TODAY)
reviews = st.sampled_from(["pending", "accepted", "rejected"])


def _drawn_version(start, length, collected, valid, review):
    end = start + timedelta(days=length)
    return Version(
        1, collected, collected, start, end, max(end, valid), review, None, "upload", "Anna Rossi"
    )


versions = st.builds(_drawn_version, days, st.integers(0, 200), until_today, days, reviews)


def _drawn_proof(held, number, cadence, due_on, owner):
    numbered = tuple(replace(version, number=n) for n, version in enumerate(held, 1))
    return SupportingEvidence(UUID(int=number), "EV-1", "Proof", cadence, due_on, owner, numbered)


proofs = st.builds(
    _drawn_proof,
    st.lists(versions, max_size=4),
    st.integers(1, 99),
    st.sampled_from(list(CADENCES)),
    st.none() | days,
    st.sampled_from([None, "Anna Rossi"]),
)
some_tests = st.builds(
    lambda sample, failed, on: a_test(min(failed, sample), sample, on),
    st.integers(1, 40),
    st.integers(0, 2),
    st.dates(FROM, TODAY),
)
controls = st.builds(
    lambda p, t: a_control(*p, tests=t),
    st.lists(proofs, max_size=3),
    st.lists(some_tests, max_size=3),
)
