"""Chart of credit bands, from the lowest attainment on the left to 100% on the right.

Segments have equal widths, so that bands of 0.1% stay visible next to bands of 5%. Pure.
"""

from collections.abc import Sequence
from fractions import Fraction

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.operations.agreements.credits import Band, percent

WIDTH, HEIGHT, EDGE, TOP, HIGH = 366, 46, 4.0, 4.0, 18.0
BAD, WARN, CALM = "l0", "l1", "l2"


def band_chart(bands: Sequence[Band], title: str) -> Markup:
    """Draw which attainment earns which credit."""
    rising = sorted(bands)
    shares = [percent(band.share) for band in rising] + ["no credit"]
    bounds = [percent(band.below) for band in rising]
    step = (WIDTH - 2 * EDGE) / len(shares)
    body: list[Markup] = []
    for n, share in enumerate(shares):
        ink = CALM if n == len(shares) - 1 else WARN if n == len(shares) - 2 else BAD
        x = EDGE + n * step
        body.append(drawing.bar(x, TOP, step - 2, HIGH, ink))
        body.append(
            drawing.label(x + step / 2 - 1, TOP + 13, share, f"{ink}t", anchor="middle", weight=600)
        )
    ticks = [("0%", "start"), *((bound, "middle") for bound in bounds), ("100%", "end")]
    for n, (words, anchor) in enumerate(ticks):
        x = min(EDGE + n * step, WIDTH - EDGE)
        body.append(drawing.label(x, TOP + HIGH + 16, words, "tick", anchor=anchor))
    spoken = "; ".join(f"below {percent(band.below)}: {percent(band.share)}" for band in bands)
    return drawing.svg(WIDTH, HEIGHT, title, spoken or "no credit", body)


def bands_title(bands: Sequence[Band]) -> str:
    """Summarize the chart for readers who don't see it."""
    if not bands:
        return "No credit is due for this commitment"
    highest: Fraction = max(band.share for band in bands)
    return f"Credits begin below {percent(max(bands).below)} and reach {percent(highest)}"
