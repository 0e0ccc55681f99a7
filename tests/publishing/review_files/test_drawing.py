"""The drawing of LTV ÷ CAC in the report."""

from hypothesis import given
from hypothesis import strategies as st

from governance.publishing.review_files.review_drawing import GAP, NUMBER_WIDTH, place_beside

LINES = [150.0, 206.6, 263.2, 319.8, 376.4, 433.0]  # Five of them are never closer.


@given(st.floats(150, 433))
def test_no_line_crosses_the_number_beside_a_bar(end):
    start = place_beside(end, LINES)
    assert start >= end + GAP
    assert not [line for line in LINES if start - GAP / 2 < line < start + NUMBER_WIDTH]


def test_a_number_with_room_stands_right_behind_its_bar():
    assert place_beside(160, LINES) == 160 + GAP
    assert place_beside(200, LINES) == 206.6 + GAP
