"""The credits of 13 months as columns; a month that isn't determinable is grey, never zero. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from governance.kernel.pictures import drawing

WIDTH, HEIGHT, UNKNOWN_HEIGHT = 700, 150, 8.0


@dataclass(frozen=True, slots=True)
class CreditColumn:
    """A month's label, and its credit in major units of the currency."""

    label: str
    value: float
    is_known: bool = True
    is_capped: bool = False

    @property
    def figure(self) -> str:
        return drawing.number(self.value) if self.is_known else "unknown"


def credit_columns(items: Sequence[CreditColumn], title: str) -> Markup:
    """Draw the months, oldest first."""
    most = max((each.value for each in items), default=0) or 1
    plot = drawing.Plot(0, 24, WIDTH, HEIGHT - 46, most)
    slot = WIDTH / max(len(items), 1)
    thick = min(slot * 0.72, 44)
    body = [drawing.element("path", "axis", d=f"M0 {plot.bottom}H{WIDTH}")]
    for n, each in enumerate(items):
        middle = slot * (n + 0.5)
        high = plot.bottom - plot.y(each.value) if each.is_known else UNKNOWN_HEIGHT
        ink = "mute" if not each.is_known else "bad" if each.is_capped else "f1"
        top = plot.bottom - high
        if high:
            body.append(drawing.bar(middle - thick / 2, top, thick, high, ink))
        figure = each.figure if each.is_known else ""
        body.append(drawing.label(middle, top - 6, figure, "lab2", anchor="middle", weight=500))
        body.append(drawing.label(middle, plot.bottom + 15, each.label, "tick", anchor="middle"))
    spoken = ", ".join(f"{each.label} {each.figure}" for each in items)
    return drawing.svg(WIDTH, HEIGHT, title, spoken, body)
