"""Chart of the time that each consumer took to obey a stop, by region."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from governance.kernel.pictures import drawing
from governance.kernel.pictures.drawing import number


@dataclass(frozen=True, slots=True)
class RegionObedience:
    """The seconds that each consumer of a region took, and the number that had to obey."""

    name: str
    seconds: Sequence[float]
    expected: int


_LEFT, _WIDTH, _ROW_HEIGHT = 116, 560, 40  # pixels
_MAX_SECONDS = 10.0  # Length of the axis


def obedience_chart(
    regions: Sequence[RegionObedience],
    title: str,
    *,
    promise: float = 1.0,
    median: float | None = None,
    clicked: str = "",
    until: str = "",
) -> Markup:
    """Draw a row per region: the stop as a square, each consumer as a dot at its seconds.

    The promise is a dashed line. A consumer beyond the axis is at its end, labeled with its time.
    """
    slowest = max((s for r in regions for s in r.seconds), default=0.0)
    most = promise if slowest <= promise else min(drawing.ceiling(slowest * 1.05), _MAX_SECONDS)
    left, width, top = float(_LEFT), float(_WIDTH), 26.0
    bottom = top + _ROW_HEIGHT * max(len(regions), 1)

    def x(seconds: float) -> float:
        return left + min(seconds / most, 1.0) * width

    body: list[Markup] = []
    for n in range(6):
        body.append(
            drawing.element(
                "path",
                "axis" if n == 0 else "grid",
                d=(
                    f"M{drawing.coordinate(x(most * n / 5))}"
                    f" {drawing.coordinate(top - 8)}V{drawing.coordinate(bottom)}"
                ),
            )
        )
        body.append(
            drawing.label(
                x(most * n / 5), bottom + 18, f"{most * n / 5:.1f} s", "tick", anchor="middle"
            )
        )
    body += [
        drawing.element(
            "path",
            "sink",
            d=(
                f"M{drawing.coordinate(x(promise))}"
                f" {drawing.coordinate(top - 12)}V{drawing.coordinate(bottom)}"
            ),
            stroke_dasharray="4 3",
            stroke_width=1.3,
        ),
        drawing.label(
            x(promise) - 6, top - 10, f"target: under {number(promise)} s", "lab2", anchor="end"
        ),
    ]
    for n, region in enumerate(regions):
        body += _obeyed_row(region, top + _ROW_HEIGHT * (n + 0.5), x, slowest)
    if median is not None:
        body.append(
            drawing.label(
                min(x(median), left + width - 250),
                top - 10,
                f"half within {median:.2f} s",
                "lab2",
                anchor="middle",
            )
        )
    body += [
        drawing.label(left, bottom + 35, clicked, "tick"),
        drawing.label(left + width, bottom + 35, until, "tick", anchor="end"),
    ]
    figures = "; ".join(
        f"{r.name}: {len(r.seconds)} of {r.expected},"
        f" {', '.join(f'{s:.2f} s' for s in r.seconds) or 'none yet'}"
        for r in regions
    )
    return drawing.svg(left + width + 24, bottom + 42, title, figures, body)


def _obeyed_row(
    region: RegionObedience, y: float, x: Callable[[float], float], slowest: float
) -> list[Markup]:
    missing = region.expected - len(region.seconds)
    out = [
        drawing.label(0, y + 4, f"{region.name}, {region.expected}", "lab2"),
        drawing.element(
            "path",
            "axis",
            d=(
                f"M{drawing.coordinate(x(0))}"
                f" {drawing.coordinate(y)}H{drawing.coordinate(x(max(region.seconds, default=0)))}"
            ),
            stroke_width=1.5,
        ),
        drawing.element(
            "rect", "bad", x=float(x(0) - 4.5), y=float(y - 4.5), width=9.0, height=9.0, rx=1.5
        ),
        *(
            drawing.element("circle", "f1", cx=float(x(s)), cy=float(y), r=4.8)
            for s in region.seconds
        ),
    ]
    if region.seconds and max(region.seconds) == slowest:
        end = x(slowest)
        far = end > _LEFT + _WIDTH - 60
        out.append(
            drawing.label(end, y - 9, f"{slowest:.1f} s", "lab", anchor="end", weight=600)
            if far
            else drawing.label(end + 10, y + 4, f"{slowest:.1f} s", "lab", weight=600)
        )
    if missing:
        out.append(drawing.label(x(0) + 10, y - 9, f"{missing} not yet", "limit-t", weight=500))
    return out
