"""Severity as the base score of CVSS 3.1, computed from stored inputs (pure tests)."""

from decimal import Decimal

import pytest

from governance.assurance.red_teams import catalogue, life_cycle, severity
from governance.assurance.red_teams.life_cycle import NotPossible


@pytest.mark.parametrize(
    ("vector", "score", "band"),
    [
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "9.8", "Critical"),
        ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "10.0", "Critical"),
        ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", "6.1", "Medium"),
        ("AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H", "7.8", "High"),
        ("AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:N/A:N", "5.9", "Medium"),
        ("AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", "1.6", "Low"),
        ("AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", "0.0", "None"),
    ],
)
def test_the_score_is_that_of_published_examples(vector, score, band):
    found = severity.base_score(f"CVSS:3.1/{vector}")
    assert (found, severity.band_of(found)) == (Decimal(score), band)


@pytest.mark.parametrize(
    "vector", ["", "CVSS:3.1/AV:N", "CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"]
)
def test_a_vector_without_every_input_is_none(vector):
    with pytest.raises(ValueError, match="isn't a vector"):
        severity.base_score(vector)


def test_a_vector_is_written_from_its_inputs_and_read_again():
    values = dict(zip(("AV", "AC", "PR", "UI", "S", "C", "I", "A"), "NLNNUHNL", strict=True))
    assert severity.read_vector(severity.vector_of(values)) == values
    with pytest.raises(ValueError, match="isn't a vector"):
        severity.vector_of(values | {"C": "X"})


def test_a_finding_reaches_its_end_through_a_fix_alone():
    path = ("confirm", "fix", "reopen", "fix", "close")
    state = "open"
    for step in path:
        state = life_cycle.state_after(state, step)
    assert state == "closed" and life_cycle.possible_steps(state) == []
    for state, step in (("open", "close"), ("confirmed", "close"), ("confirmed", "reject")):
        with pytest.raises(NotPossible, match="This step needs one that is"):
            life_cycle.state_after(state, step)


def test_every_id_has_a_name_and_the_list_it_is_of():
    assert catalogue.list_of("LLM01:2025") == "OWASP, LLM applications, 2025"
    assert catalogue.list_of("AML.T0051.001") == "MITRE ATLAS 5.6.0"
    assert catalogue.list_of("LLM01") == ""
    assert len(catalogue.NAMES) == 30 + 170
