"""The chart of LTV ÷ CAC by segment, as the report prints it: a row each, with the interval.

Pure.
"""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

from markupsafe import Markup

from governance.economics.reviews.conclusions import GOOD, ratio
from governance.economics.reviews.facts.review_facts import SegmentMonth
from governance.economics.reviews.figures import times
from governance.kernel.pictures import drawing

WIDTH, LEFT, ROW, TOP = 493, 150, 21, 18  # Points. 493 is 174 mm.
STEP = 3  # Between grid lines, in multiples.
MAX_LINES = 5
GAP, NUMBER_WIDTH = 6, 28  # Points.


def intervals(segments: Sequence[SegmentMonth], title: str) -> Markup:
    """Draw a dot with its 90% interval for each segment, or words if it isn't estimable."""
    highs = [each.ltv_high / each.cac for each in segments if each.ltv_high and each.cac]
    most = max([*highs, GOOD + 1])
    step = max(STEP, int((most / MAX_LINES / STEP).to_integral_value(ROUND_CEILING)) * STEP)
    bottom = TOP + ROW * max(len(segments), 1)

    def x(multiple: Decimal) -> float:
        return LEFT + float(multiple / most) * (WIDTH - LEFT - 60)

    body: list[Markup] = []
    marks = range(0, int(most) + 1, step)
    for mark in marks:
        kind, at = ("ink" if mark == GOOD else "grid"), drawing.coordinate(x(Decimal(mark)))
        line = f"M{at} {TOP - 5}V{bottom}"
        body.append(drawing.element("path", "sink" if kind == "ink" else kind, d=line))
        body.append(drawing.label(x(Decimal(mark)), 8, f"{mark}×", "tick", anchor="middle", size=7))
    said = []
    for place, each in enumerate(segments):
        y = TOP + ROW * place + ROW / 2
        body.append(drawing.label(0, y + 2.5, each.name, "lab", weight=500, size=8))
        body.append(
            drawing.label(LEFT - 12, y + 2.5, _accounts(each), "lab2", anchor="end", size=7)
        )
        base = f"M0 {drawing.coordinate(y + ROW / 2)}H{WIDTH}"
        body.append(drawing.element("path", "grid", d=base, stroke_width=0.5))
        of = ratio(each)
        if of is None or each.ltv_low is None or each.ltv_high is None or not each.cac:
            words = f"not estimable: {each.why or 'no CAC'}"
            body.append(drawing.label(LEFT + 6, y + 2.5, words, "lab2", size=7))
            said.append(f"{each.name} {words}")
            continue
        low, high, weak = each.ltv_low / each.cac, each.ltv_high / each.cac, of < GOOD
        tone = 2 if weak else 1
        bar = f"M{drawing.coordinate(x(low))} {y}H{drawing.coordinate(x(high))}"
        body.append(drawing.element("path", f"s{tone}", d=bar, stroke_width=2))
        body.append(drawing.element("circle", f"f{tone}", cx=x(of), cy=y, r=3))
        beside = place_beside(x(high), [x(Decimal(mark)) for mark in marks])
        body.append(drawing.label(beside, y + 2.5, f"{times(of)}×", f"t{tone}", weight=600, size=8))
        said.append(f"{each.name} {times(of)}, from {times(low)} to {times(high)}")
    return drawing.svg(WIDTH, bottom + 2, title, "; ".join(said), body)


def place_beside(end: float, lines: Sequence[float]) -> float:
    """Return where the number to the right of a bar's end begins.

    It avoids lines that would cross it.
    """
    free = end + GAP
    crossing = (line for line in lines if free - GAP / 2 < line < free + NUMBER_WIDTH)
    return next((line + GAP for line in crossing), free)


def _accounts(segment: SegmentMonth) -> str:
    return f"{segment.accounts:,} account{'' if segment.accounts == 1 else 's'}"
