"""Starting terms, whose bands pass the rules for any target."""

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.agreements.credits import check_bands, read_bands
from governance.operations.agreements.drafts import CommitmentContent, check_content
from governance.operations.agreements.starting_terms import (
    STARTING_TERMS,
    bands_for,
    starting_content,
    terms_for_tier,
)

targets = st.integers(1, 99_999_999).map(lambda n: Decimal(n) / 10**8)


@given(st.sampled_from(sorted(STARTING_TERMS)), targets)
def test_bands_of_any_target_are_consistent(tier, target):
    check_bands(read_bands(bands_for(STARTING_TERMS[tier], target)), Fraction(target))


def test_strict_terms_at_three_nines_are_those_that_cloud_providers_write():
    bands = bands_for(STARTING_TERMS["strict"], Decimal("0.999"))
    assert bands == [["0.999", "0.1"], ["0.995", "0.25"], ["0.99", "0.5"]]


def test_tier_of_the_operators_own_starts_from_standard():
    assert terms_for_tier("gold").key == "standard"
    assert terms_for_tier("regulated").key == "regulated"


@pytest.mark.parametrize("tier", sorted(STARTING_TERMS))
def test_starting_terms_are_valid_as_they_are(tier):
    promise = CommitmentContent(
        target=Decimal("0.995"), bands=[], fee_part=0, vendor=True, vendor_kind=None
    )
    content = starting_content(
        STARTING_TERMS[tier],
        effective_from=datetime(2026, 12, 1, tzinfo=UTC),
        time_zone="Europe/Berlin",
        currency="EUR",
        monthly_fee=100_000,
        promises=[promise],
        country="DE",
    )
    check_content(content)
    assert content.commitments[0].fee_part == 100_000
    assert [term.severity for term in content.support] == [1, 2, 3, 4]
