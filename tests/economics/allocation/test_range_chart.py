"""The chart of a tenant's margin under each rule."""

import re
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from governance.economics.allocation.range_chart import EDGE, WIDTH, range_chart

amounts = st.integers(-900_000, 900_000).map(lambda cents: Decimal(cents) / 100)


def dots(chart):
    """Return the positions of the dots, those of the other rules first."""
    return [
        float(dot[1])
        for dot in re.finditer(r'<circle (?=[^>]*r="(?:3.2|4.2)")[^>]*cx="(.*?)"', chart)
    ]


@given(st.lists(amounts, min_size=1, max_size=5), amounts, st.lists(amounts, max_size=3))
def test_every_dot_is_inside_the_picture(others, chosen, of_tenants_beside):
    every = [*others, chosen, *of_tenants_beside]
    drawn = dots(range_chart("Acme", others, chosen, (min(every), max(every))))
    assert len(drawn) == len(others) + 1
    assert all(EDGE <= place <= WIDTH - EDGE for place in drawn)


def test_the_scale_reaches_from_one_edge_to_the_other():
    chart = range_chart(
        "Acme", [Decimal(-100), Decimal(0)], Decimal(300), (Decimal(-100), Decimal(300))
    )
    assert dots(chart) == [EDGE, EDGE + (WIDTH - 2 * EDGE) / 4, WIDTH - EDGE]
