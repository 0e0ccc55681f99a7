"""The chart of a commitment's attainment among its credit bands, before and after a revision. Pure.

Segments have equal widths, since bands of 0.1% and of 5% are side by side.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.operations.agreements.credits import Band
from governance.publishing.statements import figures

WIDTH, HEIGHT, EDGE, TOP, HIGH = 560, 64, 4.0, 26.0, 18.0
BAD, WARN, CALM = "l0", "l1", "l2"


def bands_and_marks(
    bands: Sequence[Band], marks: Sequence[tuple[str, Fraction]], title: str
) -> Markup:
    """Draw the bands and marks. `marks` are (words, attained).

    The newest mark comes first and is drawn as a solid line.
    """
    rising = sorted(bands)
    step = (WIDTH - 2 * EDGE) / (len(rising) + 1)
    names = [figures.plain_share(band.share) for band in rising] + ["no credit"]
    body: list[Markup] = []
    for n, name in enumerate(names):
        ink = CALM if n == len(names) - 1 else WARN if n == len(names) - 2 else BAD
        x = EDGE + n * step
        body.append(drawing.bar(x, TOP, step - 2, HIGH, ink))
        body.append(
            drawing.label(x + step / 2 - 1, TOP + 13, name, f"{ink}t", anchor="middle", weight=600)
        )
    bounds = [Fraction(0), *(band.below for band in rising), Fraction(1)]
    for n, bound in enumerate(bounds):
        anchor = "start" if n == 0 else "end" if n == len(bounds) - 1 else "middle"
        words = figures.plain_share(bound)
        body.append(drawing.label(EDGE + n * step, HEIGHT - 4, words, "tick", anchor=anchor))
    for place, (words, attained) in enumerate(marks):
        x = _x(attained, bounds, step)
        is_left = x > WIDTH / 2 if len(marks) == 1 else place == 0
        body.append(
            drawing.element(
                "path",
                "s4" if place else "sink",
                d=f"M{x:.1f} 18V48",
                fill="none",
                stroke_width=1.5 if place else 2,
                **({"stroke_dasharray": "3 2"} if place else {}),
            )
        )
        room = -5 if is_left and x > 150 else 5  # noqa: PLR2004 - a label's width
        body.append(
            drawing.label(
                x + room,
                14,
                words,
                "lab2" if place else "lab",
                anchor="end" if room < 0 else "start",
            )
        )
    return drawing.svg(WIDTH, HEIGHT, title, "; ".join(words for words, _ in marks), body)


def _x(attained: Fraction, bounds: Sequence[Fraction], step: float) -> float:
    for n, (low, high) in enumerate(pairwise(bounds)):
        if attained < high or n == len(bounds) - 2:
            inside = float((attained - low) / (high - low)) if high > low else 0.0
            return EDGE + (n + min(max(inside, 0.0), 1.0)) * step
    return EDGE
