"""Values and layers as Hypothesis draws them."""

from hypothesis import strategies as st

from governance.operations.policies.strictness import ANYTHING, DIMENSIONS

MODELS = st.frozensets(st.sampled_from(["atlas-large", "atlas-small", "brook-2", "cedar", "delta-mini"]), max_size=5)
KEYS = st.sampled_from(sorted(DIMENSIONS))


def value_of(key: str) -> st.SearchStrategy:
    which = DIMENSIONS[key]
    if which.join == "strictest level":
        return st.sampled_from(which.values)
    return st.integers(0, 10_000) if which.join in {"least", "most"} else st.one_of(MODELS, st.just(ANYTHING))


ASSIGNED = st.fixed_dictionaries({}, optional={key: value_of(key) for key in DIMENSIONS})
