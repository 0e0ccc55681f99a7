"""Hypothesis strategies for values and layers."""

from hypothesis import strategies as st

from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS

MODEL_SETS = st.frozensets(
    st.sampled_from(["atlas-large", "atlas-small", "brook-2", "cedar", "delta-mini"]), max_size=5
)
DIMENSION_KEYS = st.sampled_from(sorted(DIMENSIONS))


def dimension_values(key: str) -> st.SearchStrategy:
    which = DIMENSIONS[key]
    if which.join == "strictest level":
        return st.sampled_from(which.values)
    return (
        st.integers(0, 10_000)
        if which.join in {"least", "most"}
        else st.one_of(MODEL_SETS, st.just(ANYTHING))
    )


ASSIGNED_VALUES = st.fixed_dictionaries(
    {}, optional={key: dimension_values(key) for key in DIMENSIONS}
)

THREE_VALUES_OF_ONE_DIMENSION = DIMENSION_KEYS.flatmap(
    lambda key: st.tuples(
        st.just(key), dimension_values(key), dimension_values(key), dimension_values(key)
    )
)
