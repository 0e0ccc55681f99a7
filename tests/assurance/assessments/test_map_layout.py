"""The part of a requirement's id that a cell of the heat map shows."""

import pytest

from governance.assurance.assessments.map_layout import cell_name


@pytest.mark.parametrize(
    ("ref", "hidden", "shown"),
    [
        ("MEASURE 2.7", "MEASURE ", "2.7"),
        ("CC6.1", "", "CC6.1"),
        ("GV-1.1-001", "GV-1.1-001, ", "1.1·1"),
        ("MS-2.10-003", "MS-2.10-003, ", "2.10·3"),
        ("LLM01:2025", "", "LLM01"),
    ],
)
def test_a_cell_shows_enough_of_an_id_to_tell_it_from_its_neighbours(ref, hidden, shown):
    assert cell_name(ref) == (hidden, shown)
