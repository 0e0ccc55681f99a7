"""Buckets of a rollout: the promised share of keys, forever the same, and more at each stage."""

import re
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.decisions.bucketing import (
    BITS,
    MANY,
    MILLION,
    ManyBuckets,
    bucket,
    grouped,
    hash64,
    mix,
    threshold,
)
from governance.operations.gates.stage import BASIS_POINTS
from governance.operations.rollouts.ladders import LADDERS

DOCS = Path(__file__).parents[3] / "docs" / "api.md"
SALT = str(UUID(int=18))
SHARES = sorted({s.share * MILLION // BASIS_POINTS for each in LADDERS.values() for s in each})
VECTOR = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \| `([0-9a-f]{16})` \| ([0-9]+) \|$", re.MULTILINE)
NUMBERS = st.integers(0, 2**BITS - 1)


@pytest.fixture(scope="module")
def million_keys() -> list[int]:
    """Return a million targeting keys, as their 64 bits for one feature."""
    salt = hash64(SALT)
    return [mix(salt, hash64(f"user-{n}")) for n in range(MILLION)]


@pytest.mark.slow
def test_each_stage_reaches_its_share_of_a_million_keys_within_a_fifth_of_a_percent(million_keys):
    for share in SHARES:
        below = threshold(share)
        reached = sum(found < below for found in million_keys)
        assert abs(reached - share) <= MILLION * 0.002, f"{reached} of a million at {share}"


def test_a_key_that_is_in_at_one_stage_is_in_at_every_later_one(million_keys):
    stages = [threshold(share) for share in SHARES]
    for found in million_keys:
        reached = [found < below for below in stages]
        assert reached == sorted(reached)


def test_features_reach_keys_that_have_nothing_to_do_with_each_other(million_keys):
    other, below = hash64(str(UUID(int=19))), threshold(50_000)
    both = sum(
        first < below and mix(other, hash64(f"user-{n}")) < below
        for n, first in enumerate(million_keys[:200_000])
    )
    assert abs(both - 500) < 110, f"{both} of 200,000; by chance 500, give or take 22"


def test_the_examples_of_the_documentation_are_what_is_served():
    """Serve the documented examples, with which edge products check their own code."""
    vectors = VECTOR.findall(DOCS.read_text())
    assert len(vectors) >= 6 and any(not key.isascii() for _, key, _, _ in vectors)
    for salt, key, bits, found in vectors:
        assert f"{mix(hash64(salt), hash64(key)):016x}" == bits
        assert bucket(salt, key) == int(found)


@given(NUMBERS, st.integers(0, MILLION))
def test_the_threshold_of_a_share_is_the_first_number_of_its_bucket(drawn, share):
    edge = threshold(share)
    for number in (drawn, edge - 1, edge):
        if 0 <= number < 2**BITS:
            assert (number < edge) is (number * MILLION >> BITS < share)


@given(st.lists(st.tuples(NUMBERS, st.integers(1, MILLION - 1)), max_size=MANY + 20), NUMBERS)
def test_many_features_at_once_are_decided_as_one_by_one(features, key):
    salts, shares = [salt for salt, _ in features], [share for _, share in features]
    every = ManyBuckets(salts, shares).groups(key)
    assert every == grouped([mix(salt, key) < threshold(share) for salt, share in features])


def test_a_thousand_features_at_once_are_decided_as_one_by_one():
    salts = [hash64(f"feature-{n}") for n in range(1_000)]
    shares = [1 + n * 999 for n in range(1_000)]
    every = ManyBuckets(salts, shares)
    for n in range(50):
        key = hash64(f"user-{n}")
        held = [mix(s, key) < threshold(share) for s, share in zip(salts, shares, strict=True)]
        assert every.groups(key) == grouped(held)


def test_a_bucket_is_one_of_a_million():
    found = [bucket(SALT, f"user-{n}") for n in range(1_000)]
    assert all(0 <= each < MILLION for each in found) and len(set(found)) > 990
    assert all(a < b for a, b in pairwise(threshold(n) for n in range(0, MILLION, 9_973)))
