"""The preview of a change, by properties over generated contents and counts."""

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from governance.operations.policies import preview
from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    LiveWaiver,
    Platform,
    read_content,
    read_platform,
)
from governance.operations.policies.policy_diff import (
    carried_over,
    digest,
    lines,
    platform_content,
    with_value,
    without_value,
    written,
)
from governance.operations.policies.setting_labels import value_label, value_meaning
from governance.operations.policies.strictness import covers, loosens, values
from governance.operations.policies.tier_table import rulings, table
from governance.operations.policies.tiers import TIERS
from tests.operations.policies.policy_strategies import (
    ASSIGNED_VALUES,
    THREE_VALUES_OF_ONE_DIMENSION,
)

SYSTEMS = (
    Governed(UUID(int=1), "one", "One", "standard"),
    Governed(UUID(int=2), "two", "Two", "high_risk"),
)
CONTENTS = st.builds(
    Content,
    st.sampled_from(sorted(TIERS)),
    ASSIGNED_VALUES,
    st.dictionaries(st.sampled_from([s.id for s in SYSTEMS]), ASSIGNED_VALUES, max_size=2),
)
FLAGS = st.tuples(
    st.sampled_from(["one", "two", "", "gone"]),
    st.sampled_from(
        [f"policy.{key}" for key in DIMENSIONS] + ["bulk", "switch.one", "policy.mood"]
    ),
)
WORDS = st.one_of(
    st.sampled_from(["stopped", "any", "2 named", "off", "30", "x"]), st.text(max_size=8)
)
ASKED = st.dictionaries(FLAGS, st.dictionaries(WORDS, st.integers(1, 1000), max_size=3), max_size=8)


def at(content: Content) -> EffectivePolicy:
    return EffectivePolicy(Platform(), 1, content, SYSTEMS)


def without_empty_overrides(content: Content) -> Content:
    """Drop empty overrides of a system, which mean nothing."""
    return read_content(content.plain())


# ---- approvers


@given(CONTENTS, CONTENTS)
def test_what_needs_no_second_person_leaves_every_system_at_least_as_strict(before, after):
    found = preview.verdict(at(before), at(after))
    if not found.second_person:
        for system in (None, *SYSTEMS):
            was, becomes = values(at(before).effective(system)), values(at(after).effective(system))
            assert all(covers(key, becomes[key], was[key]) for key in was)


@given(CONTENTS, CONTENTS)
def test_the_way_back_from_a_step_that_only_tightens_takes_a_second_person_or_changes_nothing(
    before, after
):
    forth, back = preview.verdict(at(before), at(after)), preview.verdict(at(after), at(before))
    if not forth.second_person:
        own_same = all(at(before).own(s) == at(after).own(s) for s in (None, *SYSTEMS))
        assert back.second_person or own_same


@given(CONTENTS, CONTENTS)
def test_the_mark_of_a_verdict_tells_verdicts_apart(before, after):
    one, other = preview.verdict(at(before), at(after)), preview.verdict(at(after), at(before))
    assert (one.fingerprint == other.fingerprint) == (one.loosening == other.loosening)


# ---- system by system


@given(CONTENTS, CONTENTS, ASKED)
def test_every_dimension_of_every_system_moves_or_stays_and_never_both(before, after, asked):
    for effect in preview.effects(at(before), at(after), asked):
        was, becomes = (
            values(at(before).effective(effect.system)),
            values(at(after).effective(effect.system)),
        )
        assert {c.key for c in effect.changes} == {k for k in becomes if was[k] != becomes[k]}
        assert not {c.key for c in effect.changes} & {d.key for d in effect.stays}
        assert effect.tightens + effect.loosens == len(effect.changes)
        for stays in effect.stays:
            assert (
                was[stays.key] == stays.value
                and any(layer.values[stays.key] == stays.value for layer in stays.by)
                or stays.key == "model_access"
            )


@given(CONTENTS, ASKED)
def test_no_step_has_no_effect(content, asked):
    assert all(
        not e.changes and not e.stays for e in preview.effects(at(content), at(content), asked)
    )
    assert not preview.verdict(at(content), at(content)).second_person
    assert lines(content, content) == []


# ---- replayed


@given(CONTENTS, CONTENTS, ASKED)
def test_a_replay_counts_no_answer_twice_and_none_that_was_not_given(before, after, asked):
    found = preview.replay(at(before), at(after), asked)
    assert (
        0
        <= found.stricter
        <= found.other
        <= found.answers
        <= sum(sum(counts.values()) for counts in asked.values())
    )


@given(CONTENTS, CONTENTS, st.integers(1, 1000))
def test_answers_as_they_are_today_would_be_other_ones_exactly_where_the_step_moves_them(
    before, after, count
):
    was, becomes = values(at(before).effective(SYSTEMS[0])), values(at(after).effective(SYSTEMS[0]))
    for key in DIMENSIONS:
        word = (
            ("any" if was[key] == ANYTHING else f"{len(was[key])} named")
            if isinstance(was[key], frozenset)
            else str(was[key])
        )
        found = preview.replay(at(before), at(after), {("one", f"policy.{key}"): {word: count}})
        assert found.answers == count and found.other == (count if was[key] != becomes[key] else 0)
        assert found.stricter == (
            count if found.other and covers(key, becomes[key], was[key]) else 0
        )


def test_all_flags_at_once_count_once():
    before, after = at(Content("standard")), at(Content("strict"))
    found = preview.replay(
        before,
        after,
        {
            ("one", "bulk"): {"x": 60, "y": 4},
            ("gone", "bulk"): {"x": 9},
            ("one", "policy.memory"): {"stopped": 5},
        },
    )
    assert (found.answers, found.other, found.stricter) == (64, 64, 64)


# ---- content


@given(CONTENTS)
def test_a_content_is_read_as_it_was_written_and_equal_ones_have_one_digest(content):
    again = read_content(content.plain())
    assert again.plain() == content.plain() and digest(1, again.plain()) == digest(
        1, content.plain()
    ) != digest(2, content.plain())


@given(CONTENTS, CONTENTS, CONTENTS)
def test_carrying_over_keeps_what_i_changed_and_takes_the_rest_from_what_is_in_force(
    base, mine, now
):
    found = carried_over(base, mine, now)
    assert carried_over(base, base, now).plain() == without_empty_overrides(now).plain()
    assert carried_over(base, mine, base).plain() == without_empty_overrides(mine).plain()
    for line in lines(base, mine):
        got = found.tier if line.key == "tier" else written(found, line.system_id).get(line.key)
        assert got == line.after


@given(CONTENTS, st.sampled_from([None, SYSTEMS[0].id]), THREE_VALUES_OF_ONE_DIMENSION)
def test_an_override_is_written_and_taken_away_again(content, whom, drawn):
    key, value, *_ = drawn
    there = with_value(content, whom, key, value)
    assert written(there, whom)[key] == value
    assert key not in written(without_value(there, whom, key), whom)
    assert {line.key for line in lines(content, there)} <= {key}


# ---- warnings


@given(CONTENTS)
def test_where_the_floor_contradicts_a_tier_is_said_dimension_by_dimension(content):
    policy = at(content)
    for tier in TIERS.values():
        for change in preview.lifted(policy, tier):
            assert not loosens(change.move) and covers(
                change.key, change.after, policy.platform.floor[change.key]
            )
        lifted = {c.key for c in preview.lifted(policy, tier)}
        assert all(
            covers(k, tier.values[k], v)
            for k, v in policy.platform.floor.items()
            if k not in lifted
        )


def test_notices_say_what_will_not_do_what_it_seems_to():
    found = preview.notices(
        at(
            Content(
                "strict",
                {"model_access": frozenset(), "memory": "on"},
                {SYSTEMS[1].id: {"tool_use": "any"}},
            )
        )
    )
    assert [n.field for n in found] == ["model_access", "memory", "tool_use"]
    assert (
        "allows no model" in found[0].lead
        and "no effect" in found[1].lead
        and "for two" in found[2].lead
    )


# ---- the table


@given(CONTENTS, st.none() | CONTENTS)
def test_the_table_shows_each_tier_and_the_two_columns_that_matter(before, after):
    then = at(after) if after else None
    drawn = table(at(before), then)
    assert [c.part for c in drawn.columns].count("now") == 1 and [
        c.part for c in drawn.columns
    ].count("next") == (1 if after else 0)
    assert {c.tier.key for c in drawn.columns} == set(TIERS)
    assert all(len(row.cells) == len(drawn.columns) for row in drawn.rows) and len(
        drawn.rows
    ) == len(DIMENSIONS)
    now = at(before).effective()
    for row in drawn.rows:
        for column, cell in zip(drawn.columns, row.cells, strict=True):
            if column.part == "now":
                assert cell.value == now[row.dimension.key].value and not cell.struck


@given(THREE_VALUES_OF_ONE_DIMENSION)
def test_every_value_has_words(drawn):
    key, value, *_ = drawn
    assert value_label(value, key) and value_meaning(DIMENSIONS[key], value)


def test_a_ruling_names_all_that_spoke_and_marks_who_decides():
    waiver = LiveWaiver(
        UUID(int=9), SYSTEMS[0].id, "retention_days", 120, datetime(2030, 1, 1, tzinfo=UTC)
    )
    policy = EffectivePolicy(Platform(), 1, Content("baseline"), SYSTEMS, (waiver,))
    [ruling] = [r for r in rulings(policy, SYSTEMS[0]) if r.dimension.key == "retention_days"]
    assert (
        ruling.layers == [("Waiver", "120 days", True), ("Baseline tier", "365 days", False)]
        and ruling.label == "120 days"
    )


@given(ASSIGNED_VALUES)
def test_the_operators_layer_is_stored_without_what_is_built_in(floor):
    platform = Platform(0, floor)
    assert platform_content(platform)["tiers"] == {}
    assert read_platform(0, platform_content(platform)) == platform
