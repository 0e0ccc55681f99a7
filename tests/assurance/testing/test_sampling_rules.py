"""The rules of Type II testing, by properties: expected and stored evidence, seeded samples."""

import calendar
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.assurance.testing.matrix import matrix_row
from governance.assurance.testing.matrix_facts import ControlTestFacts, MatrixFacts, SampledItem
from governance.assurance.testing.matrix_sentences import headline
from governance.assurance.testing.occurrences import (
    CALENDAR_CADENCES,
    GRACE_DAYS,
    PerformanceRecord,
    cycle_states,
    cycles,
    missed_cycles,
    months,
)
from governance.assurance.testing.sampling import (
    DEFAULT_TABLE,
    OWN_SIZES,
    advise_size,
    draw_items,
    population_digest,
    read_table,
    stored_table,
)
from tests.assurance.testing.type2_helpers import FIRST, LAST, NOBODY, TODAY

days = st.dates(date(2024, 1, 1), date(2027, 12, 31))
cadences = st.sampled_from(CALENDAR_CADENCES)


periods = st.builds(
    lambda first, length: (first, first + timedelta(days=length)), days, st.integers(0, 500)
)


def _drawn_proof(first, length, later, valid_for):
    last = first + timedelta(days=length)
    return PerformanceRecord(first, last, last + timedelta(days=later), "EV-0001", valid_for)


proofs = st.builds(
    _drawn_proof,
    days,
    st.integers(0, 400),
    st.integers(0, 300),
    st.sampled_from([None, 31, 92]),
)


# ---- occurrences


@pytest.mark.parametrize(
    ("cadence", "count"),
    [
        ("daily", 365),
        ("weekly", 52),
        ("monthly", 12),
        ("quarterly", 4),
        ("half-yearly", 2),
        ("yearly", 1),
        ("per release", 0),
    ],
)
def test_a_year_holds_as_many_cycles_as_its_cadence_says(cadence, count):
    assert len(cycles(cadence, FIRST, LAST)) == count


@given(cadences, periods)
def test_cycles_follow_each_other_without_a_hole_and_end_in_the_period(cadence, period):
    found = cycles(cadence, *period)
    assert all(period[0] <= c.last <= period[1] and c.first <= c.last for c in found)
    assert all(
        after.first == before.last + timedelta(days=1)
        for before, after in zip(found, found[1:], strict=False)
    )


@given(cadences, periods, st.lists(proofs, max_size=6), days)
def test_every_cycle_is_performed_missed_or_due_and_a_gap_anywhere_is_shown(
    cadence, period, on_file, today
):
    stands = cycle_states(cadence, *period, on_file, today=today)
    assert [s.cycle for s in stands] == list(cycles(cadence, *period))
    assert set(missed_cycles(stands)) == {s.cycle for s in stands if s.state in {"missed", "late"}}
    for each in stands:
        touching = [
            p
            for p in on_file
            if (p.first <= each.cycle.first and each.cycle.last <= p.last)
            or each.cycle.first <= p.last <= each.cycle.last
        ]
        assert (each.proof is not None) == bool(touching)
        if each.state == "due":
            assert (today - each.cycle.last).days <= GRACE_DAYS


@given(cadences, periods, st.lists(proofs, max_size=5), proofs, days)
def test_one_more_proof_never_makes_it_worse(cadence, period, on_file, more, today):
    order = {"missed": 0, "late": 0, "due": 1, "performed": 2}
    before = cycle_states(cadence, *period, on_file, today=today)
    after = cycle_states(cadence, *period, [*on_file, more], today=today)
    assert all(
        order[b.state] <= order[a.state] or (b.state == "due" and a.state == "late")
        for b, a in zip(before, after, strict=True)
    )


def test_a_missed_cycle_stays_missed_when_it_is_repaired_later():
    august = PerformanceRecord(date(2026, 8, 1), date(2026, 8, 31), date(2026, 10, 20), "EV-0007")
    found = {
        s.cycle.says: s.state for s in cycle_states("monthly", FIRST, LAST, [august], today=TODAY)
    }
    assert found["August"] == "late" and found["July"] == "missed" and found["November"] == "due"
    assert "August" in {
        c.says for c in missed_cycles(cycle_states("monthly", FIRST, LAST, [august], today=TODAY))
    }


@pytest.mark.parametrize(
    ("since", "june"), [(date(2026, 6, 10), ["June"]), (date(2026, 6, 20), [])]
)
def test_a_cycle_before_the_control_began_is_not_expected_nor_one_that_was_half_over(since, june):
    found = cycle_states("monthly", FIRST, LAST, [], today=TODAY, since=since)
    assert [s.cycle.says for s in found] == [
        *june,
        "July",
        "August",
        "September",
        "October",
        "November",
    ]


@given(periods)
def test_the_columns_are_the_months_of_the_period(period):
    found = months(*period)
    assert found[0] == period[0].replace(day=1) and found[-1] == period[1].replace(day=1)
    assert all(
        (b - a).days == calendar.monthrange(a.year, a.month)[1]
        for a, b in zip(found, found[1:], strict=False)
    )


# ---- sampling

names = st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=60)
hashes = st.binary(min_size=1, max_size=8).map(lambda b: population_digest([{"id": b.hex()}]))


@given(
    st.sampled_from([*CALENDAR_CADENCES, "per change", "per release", "once"]),
    st.integers(0, 60_000),
)
def test_a_sample_is_never_larger_than_its_population(cadence, population):
    advice = advise_size(DEFAULT_TABLE, cadence, population)
    assert advice.size <= population and (advice.size > 0) == (population > 0)
    assert "Meridian default" in advice.rule


@given(
    st.sampled_from([*CALENDAR_CADENCES, "per change"]), st.integers(0, 3000), st.integers(0, 3000)
)
def test_a_larger_population_never_asks_for_a_smaller_sample(cadence, one, other):
    small, large = sorted((one, other))
    assert (
        advise_size(DEFAULT_TABLE, cadence, small).size
        <= advise_size(DEFAULT_TABLE, cadence, large).size
    )


@given(names, st.text(max_size=8), hashes, st.data())
def test_the_same_seed_draws_the_same_sample_whatever_the_order(items, seed, population, data):
    size = data.draw(st.integers(0, len(items)))
    drawn = draw_items(items, seed, population, size)
    assert drawn == draw_items(list(reversed(items)), seed, population, size)
    assert len(set(drawn)) == size and set(drawn) <= set(items)
    assert draw_items(items, seed, population, len(items))[:size] == drawn, (
        "a larger sample begins with the smaller one"
    )


def test_another_seed_or_another_population_draws_another_sample():
    items = [f"release {n}" for n in range(200)]
    one = draw_items(items, "441790ce", population_digest([{"id": "a"}]), 25)
    assert one != draw_items(items, "441790cf", population_digest([{"id": "a"}]), 25)
    assert one != draw_items(items, "441790ce", population_digest([{"id": "b"}]), 25)


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
        min_size=1,
        max_size=8,
    ),
    st.data(),
)
def test_the_hash_of_a_population_is_that_of_its_rows_whatever_the_order_of_their_columns(
    rows, data
):
    assert population_digest([dict(reversed(r.items())) for r in rows]) == population_digest(rows)
    n = data.draw(st.integers(0, len(rows) - 1))
    assert population_digest(
        [r | {"\u2605": "changed"} if i == n else r for i, r in enumerate(rows)]
    ) != population_digest(rows)


@pytest.mark.parametrize("size", [-1, 4])
def test_a_sample_larger_than_its_population_is_refused(size):
    with pytest.raises(ValueError, match="can't be drawn from 3 items"):
        draw_items(["a", "b", "c"], "s", "h", size)


def test_an_id_twice_is_refused():
    with pytest.raises(ValueError, match="twice"):
        draw_items(["a", "a"], "s", "h", 1)


def test_a_table_survives_being_kept():
    own = read_table(stored_table(DEFAULT_TABLE.by_cadence, DEFAULT_TABLE.per_event))
    assert own == replace(DEFAULT_TABLE, name=OWN_SIZES)


# ---- the matrix


def facts(cadence="quarterly", **more):
    return MatrixFacts(NOBODY, "SEC-04", "Penetration test", cadence, date(2024, 1, 1), **more)


def quarter(first, last, collected=None):
    return PerformanceRecord(first, last, collected or last, "EV-0001 Report", 92)


def line(control):
    return matrix_row(control, FIRST, LAST, today=TODAY, table=DEFAULT_TABLE)


def test_a_quarter_without_a_report_is_missed_and_the_headline_names_it():
    held = [
        quarter(date(2025, 10, 1), date(2025, 12, 31)),
        quarter(date(2026, 1, 1), date(2026, 3, 31)),
        quarter(date(2026, 4, 1), date(2026, 6, 30)),
    ]
    found = line(facts(proofs=tuple(held), tests=(ControlTestFacts(date(2026, 3, 20), 4, 0),)))
    kinds = {f"{c.month:%b}": c.kind for c in found.months if c.kind != "none"}
    assert kinds == {"Dec": "performed", "Mar": "tested", "Jun": "performed", "Sep": "missed"}
    assert headline([found]) == "3 of 4 expected occurrences are on file. Missing: Q3 for SEC-04."
    assert (found.tested, found.expected) == (1, 3)
    assert all(c.why.endswith(".") and c.why for c in found.months)


def test_a_failed_item_is_an_exception_in_the_month_of_the_item():
    items = tuple(
        SampledItem(
            n,
            f"2026.{n}",
            date(2026, n % 11 + 1, 3),
            "failed" if n == 10 else "passed",
            "EXC-14" if n == 10 else None,
        )
        for n in range(1, 26)
    )
    found = line(
        facts("per release", items=items, events={date(2026, m, 1): 5 for m in range(1, 12)})
    )
    november = found.months[-1]
    assert (november.kind, november.count) == ("exception", 5)
    assert "EXC-14" in november.why and found.exceptions == ("EXC-14",)
    assert (found.tested, found.expected) == (25, 25)


def test_a_gap_of_what_follows_events_is_said():
    found = line(facts("per change", proofs=(quarter(date(2025, 12, 1), date(2026, 3, 31)),)))
    assert "Gap: no" in found.months[5].why and "Gap" not in found.months[1].why


def test_days_that_are_missing_are_counted():
    held = (
        PerformanceRecord(FIRST, date(2026, 8, 10), date(2026, 8, 10), "EV-1", 366),
        PerformanceRecord(date(2026, 8, 15), TODAY, TODAY, "EV-2", 366),
    )
    found = line(facts("daily", proofs=held))
    august = found.months[8]
    assert (august.kind, august.count) == ("missed", 4)
    assert found.lacks == ("11 Aug", "12 Aug", "13 Aug", "14 Aug")


@given(cadences, st.lists(proofs, max_size=6), days)
def test_every_cell_is_explained_and_the_counts_agree(cadence, on_file, today):
    found = matrix_row(
        facts(cadence, proofs=tuple(on_file)), FIRST, LAST, today=today, table=DEFAULT_TABLE
    )
    assert len(found.months) == 12 and all(c.why for c in found.months)
    assert found.on_file <= found.due and found.tested <= found.expected
    assert bool(found.lacks) == any(c.kind == "missed" for c in found.months)
    assert headline([found])


def test_the_headline_names_three_and_counts_the_others():
    rows = [line(facts("yearly"))] * 5
    assert matrix_row(
        facts("yearly"), FIRST, LAST, today=date(2027, 3, 1), table=DEFAULT_TABLE
    ).lacks == ("2025",)
    assert (
        headline(rows)
        == "0 of 5 expected occurrences are on file. Missing: 2025 for SEC-04; 2025 for SEC-04;"
        " 2025 for SEC-04; and cycles of 2 more controls."
    )


def test_counts_are_written_as_everywhere_in_the_console():
    found = line(facts("per change", events={date(2026, 5, 1): 12_345}))
    assert "12,345 occurrences in the population for May 2026." in found.months[5].why
