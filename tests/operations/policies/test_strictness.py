"""The six laws of strictness, over generated layers.

No layer undercuts another, and the answer names the layer that decided.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.errors import Invalid
from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS, dimension, plain, read
from governance.operations.policies.strictness import (
    DimensionChange,
    Layer,
    WaivedValue,
    changes,
    compare,
    covers,
    effective,
    join,
    loosens,
    values,
)
from governance.operations.policies.tiers import FLOOR, RISK, TIERS
from tests.operations.policies.policy_strategies import (
    ASSIGNED_VALUES,
    MODEL_SETS,
    THREE_VALUES_OF_ONE_DIMENSION,
)

LATER = datetime(2030, 1, 1, tzinfo=UTC)
LAYERS = st.lists(
    st.builds(
        Layer,
        st.sampled_from(["floor", "tier", "override", "risk", "system"]),
        st.text("abcdef", min_size=1, max_size=4),
        ASSIGNED_VALUES,
    ),
    max_size=6,
)


# ---- 1. commutative, associative, idempotent


@given(THREE_VALUES_OF_ONE_DIMENSION)
def test_the_join_does_not_depend_on_order_or_repetition(drawn):
    key, a, b, c = drawn
    assert join(key, a, b) == join(key, b, a)
    assert join(key, join(key, a, b), c) == join(key, a, join(key, b, c))
    assert join(key, a, a) == a


@given(LAYERS, st.randoms(use_true_random=False))
def test_layers_give_the_same_in_any_order_and_twice(layers, random):
    shuffled = random.sample(layers, len(layers)) + layers
    assert values(effective(layers)) == values(effective(shuffled))


# ---- 2. a layer more never loosens


@given(LAYERS, ASSIGNED_VALUES)
def test_one_more_layer_never_loosens_any_dimension(layers, more):
    before, after = (
        values(effective(layers)),
        values(effective([*layers, Layer("override", "more", more)])),
    )
    assert before.keys() <= after.keys()
    assert all(covers(key, after[key], before[key]) for key in before)


# ---- 3. the platform minimum


@given(LAYERS, ASSIGNED_VALUES)
def test_without_a_waiver_nothing_is_weaker_than_the_floor(layers, floor):
    found = values(effective([Layer("floor", "floor", floor), *layers]))
    assert all(covers(key, found[key], floor[key]) for key in floor)


@given(LAYERS, THREE_VALUES_OF_ONE_DIMENSION)
def test_a_waiver_moves_one_dimension_below_the_floor_and_no_other_layer(layers, drawn):
    key, floor_value, waived_value, _ = drawn
    others = [layer for layer in layers if layer.kind != "floor"]
    floor = Layer("floor", "floor", {**FLOOR, key: floor_value})
    plain_answer, waived = (
        effective([floor, *others]),
        effective([floor, *others], [WaivedValue(key, waived_value, LATER)]),
    )
    assert all(waived[k].value == plain_answer[k].value for k in plain_answer if k != key)
    assert covers(key, plain_answer[key].value, waived[key].value)
    for layer in others:
        if key in layer.values:
            assert covers(key, waived[key].value, layer.values[key])


# ---- 4. an empty list


@given(LAYERS)
def test_an_empty_allow_list_means_nothing_and_stays_so(layers):
    found = effective([*layers, Layer("override", "none at all", {"model_access": frozenset()})])
    assert found["model_access"].value == frozenset()


def test_an_empty_list_is_read_as_nothing_and_a_star_as_everything():
    assert read("model_access", "") == read("model_access", []) == frozenset()
    assert read("model_access", "*") == ANYTHING
    assert join("model_access", ANYTHING, frozenset({"cedar"})) == {"cedar"}


# ---- 5. the explanation


@given(LAYERS)
def test_the_explanation_names_a_layer_whose_value_is_the_effective_one(layers):
    for key, decided in effective(layers).items():
        if DIMENSIONS[key].join != "intersection":
            assert len(decided.by) == 1 and decided.by[0].values[key] == decided.value
        meet = decided.by[0].values[key]
        for layer in decided.by[1:]:
            meet = join(key, meet, layer.values[key])
        assert meet == decided.value and set(map(id, decided.by)) <= set(map(id, decided.layers))


def lists(*given):
    """Return a layer for each list of models, named by its place."""
    return [
        Layer("override", str(place), {"model_access": frozenset(each)})
        for place, each in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["abc", "bcd"], "0 and 1"),
        (["abc", "abc", "bcd", "bc"], "3"),  # One list alone is the value.
        (["abc", "abc", "bcd", "abcd", "cde"], "0 and 2 and 4"),
        (["ab", "bc", "abcd"], "0 and 1"),  # The third list narrows nothing.
    ],
)
def test_only_lists_that_narrow_the_value_are_named_beside_the_first(models, names):
    assert effective(lists(*models))["model_access"].set_by == names


@given(st.lists(MODEL_SETS, min_size=2, max_size=5))
def test_each_named_list_narrows_those_before_it_down_to_the_value(models):
    decided = effective(lists(*models))["model_access"]
    reached = None
    for layer in decided.by:
        allowed = layer.values["model_access"]
        narrower = allowed if reached is None else reached & allowed
        assert narrower != reached
        reached = narrower
    assert reached == decided.value == frozenset.intersection(*models)


def test_pages_name_a_deciding_layer_by_its_label_and_the_api_by_its_name():
    labelled = Layer("tier", "strict", {"model_access": frozenset("ab")}, "Strict tier")
    unlabelled = Layer("override", "acme", {"model_access": frozenset("bc")})
    decided = effective([labelled, unlabelled])["model_access"]
    assert decided.decided_by == "Strict tier and acme"
    assert decided.set_by == "strict and acme"


# ---- 6. unknown words


@given(st.text(max_size=40))
def test_an_unknown_dimension_or_level_is_refused_when_it_is_written(word):
    if word not in DIMENSIONS:
        with pytest.raises(Invalid, match="There is no setting"):
            dimension(word)
    for key, which in DIMENSIONS.items():
        if which.levels and word not in which.values:
            with pytest.raises(Invalid, match=f"{which.title} has no level"):
                read(key, word)


@pytest.mark.parametrize("raw", ["-1", "1.5", "1e3", "", "many", True, None, "9" * 11, [600], "٣"])
def test_a_number_is_a_whole_number(raw):
    with pytest.raises(Invalid, match="Rate limit takes a whole number"):
        read("requests_per_minute", raw)


@pytest.mark.parametrize(
    "raw",
    [7, {"a": 1}, ["a b"], ["*", "cedar"], ["x" * 81], ["<b>"], [f"m{n}" for n in range(201)], [1]],
)
def test_a_list_holds_names(raw):
    with pytest.raises(Invalid, match="Model access takes|valid model name|not both"):
        read("model_access", raw)


@given(THREE_VALUES_OF_ONE_DIMENSION)
def test_what_is_written_is_read_again(drawn):
    key, value, *_ = drawn
    assert read(key, plain(value)) == value


# ---- steps


@given(THREE_VALUES_OF_ONE_DIMENSION)
def test_of_a_step_and_its_way_back_one_loosens(drawn):
    key, a, b, _ = drawn
    there, back = compare(key, a, b), compare(key, b, a)
    assert (there == "same") == (a == b) == (back == "same")
    if a != b:
        assert loosens(there) or loosens(back)
    if there == "tightens":
        assert back == "loosens" and join(key, a, b) == b


@given(ASSIGNED_VALUES, ASSIGNED_VALUES)
def test_a_step_in_which_nothing_loosens_leaves_every_old_value_covered(before, after):
    if not any(loosens(change.move) for change in changes(before, after)):
        assert all(key in after and covers(key, after[key], before[key]) for key in before)


@given(ASSIGNED_VALUES)
def test_values_that_are_added_tighten_values_that_are_removed_loosen_and_no_other_changes(
    assigned,
):
    keys = [key for key in DIMENSIONS if key in assigned]
    assert changes({}, assigned) == [
        DimensionChange(key, None, assigned[key], "tightens") for key in keys
    ]
    assert changes(assigned, {}) == [
        DimensionChange(key, assigned[key], None, "loosens") for key in keys
    ]
    assert changes(assigned, assigned) == []


# ---- built-in tiers


def test_the_built_in_tiers_are_a_chain_in_every_dimension():
    chain = list(TIERS.values())
    assert [tier.key for tier in chain] == ["baseline", "standard", "strict", "regulated"]
    for lower, higher in zip(chain, chain[1:], strict=False):
        assert lower.values.keys() == higher.values.keys() == DIMENSIONS.keys()
        assert all(covers(key, higher.values[key], lower.values[key]) for key in DIMENSIONS)


def test_the_floor_and_the_risk_layers_speak_of_known_dimensions():
    assert FLOOR.keys() <= DIMENSIONS.keys() and all(
        layer.keys() <= DIMENSIONS.keys() for layer in RISK.values()
    )
    assert sum(not covers(key, TIERS["baseline"].values[key], FLOOR[key]) for key in FLOOR) == 4
