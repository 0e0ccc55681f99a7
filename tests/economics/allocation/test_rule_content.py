"""Allocation rules, as stored in rows and as people write them."""

from decimal import Decimal as D
from uuid import UUID

import pytest

from governance.economics.allocation.rule_content import (
    changed_lines,
    check_rules,
    label,
    plain_rules,
    read_percents,
    read_rules,
)
from governance.economics.formulas.allocation import Driver, Pool, Rule
from governance.kernel.errors import Invalid
from tests.economics.allocation.allocation_helpers import all_by

ACME, GLOBEX = UUID(int=1), UUID(int=2)
IDS = {"acme": ACME, "globex": GLOBEX}
NAMES = {ACME: "Acme", GLOBEX: "Globex"}
FIXED = Rule(Driver.FIXED, {ACME: D(40), GLOBEX: D("25.50")})


def test_a_row_keeps_what_was_entered():
    rules = all_by(Driver.TOKENS) | {Pool.SUPPORT: FIXED}
    plain = plain_rules(rules)
    assert plain["support"] == {
        "driver": "fixed",
        "percents": {str(ACME): "40", str(GLOBEX): "25.5"},
    }
    assert plain["idle"] == {"driver": "tokens"}
    assert read_rules(plain) == rules


def test_fixed_shares_are_written_by_slug():
    assert read_percents("acme 40, globex 25.5%\n", IDS, field="x") == FIXED.percents
    for text, problem in (
        ("", "at least one tenant"),
        ("initech 4", "names no tenant"),
        ("acme", "names no tenant"),
        ("acme many", "has no percent"),
        ("acme 1, acme 2", "there twice"),
        ("acme 1.00001", "4 decimals"),
        ("acme NaN", "4 decimals"),
    ):
        with pytest.raises(Invalid, match=problem) as found:
            read_percents(text, IDS, field="support_percents")
        assert found.value.field == "support_percents"


def test_every_pool_has_a_rule_and_no_more_than_the_whole():
    check_rules(all_by(Driver.EQUAL))
    rules = all_by(Driver.EQUAL)
    del rules[Pool.IDLE]
    with pytest.raises(Invalid, match="Choose how idle capacity is shared"):
        check_rules(rules)
    for shares, problem in (({ACME: D(101)}, "101%"), ({ACME: D(-1)}, "below 0%")):
        with pytest.raises(Invalid, match=problem) as found:
            check_rules(all_by(Driver.EQUAL) | {Pool.OTHER: Rule(Driver.FIXED, shares)})
        assert found.value.field == "other_percents"


def test_rules_are_named_in_words():
    assert label(Rule(Driver.ACTIVE_USERS), NAMES) == "Active users"
    assert label(FIXED, NAMES) == "Fixed shares: Acme 40%, Globex 25.5%"
    assert label(FIXED, {ACME: "Acme"}) == "Fixed shares: Acme 40%, a deleted tenant 25.5%"
    assert label(None, NAMES) == "No rule: all of it is residue"
    after = all_by(Driver.TOKENS) | {Pool.SUPPORT: Rule(Driver.EQUAL)}
    assert changed_lines(all_by(Driver.TOKENS), after, NAMES) == [("Support", "Tokens", "Equal")]
    assert len(changed_lines({}, after, NAMES)) == 5
    assert changed_lines({}, all_by(Driver.TOKENS), NAMES) == [
        ("All pools", "No rule: all of it is residue", "Tokens")
    ]
