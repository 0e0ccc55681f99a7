"""A chart of a tenant's margin under each rule: one dot per rule, and a line at zero."""

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from governance.economics.formulas.money import MINUS
from governance.kernel.pictures import drawing

WIDTH, HEIGHT, MIDDLE = 152, 20, 10
EDGE = 6  # space for half a dot


def range_chart(
    name: str, others: Sequence[Decimal], chosen: Decimal, scale: tuple[Decimal, Decimal]
) -> Markup:
    """Draw the margins of a tenant. The chosen rule's dot is filled, and red for a loss.

    `scale` is (lowest, highest) margin of all tenants in the table, so that charts are comparable.
    """
    low, high = min(scale[0], Decimal(0)), max(scale[1], Decimal(0))
    width = (high - low) or Decimal(1)

    def x(amount: Decimal) -> float:
        return EDGE + float((amount - low) / width) * (WIDTH - 2 * EDGE)

    every = [*others, chosen]
    first, last = (drawing.coordinate(x(edge)) for edge in (min(every), max(every)))
    body = [
        drawing.element("path", "grid", d=f"M0 {MIDDLE}H{WIDTH}"),
        drawing.element("path", "sink", d=f"M{drawing.coordinate(x(Decimal(0)))} 2V18"),
        drawing.element("path", "s4", d=f"M{first} {MIDDLE}H{last}", stroke_width=1.5),
    ]
    for amount in others:
        body.append(drawing.element("circle", "f4", cx=x(amount), cy=MIDDLE, r=3.2))
        body.append(drawing.element("circle", "gap", cx=x(amount), cy=MIDDLE, r=1.9))
    kind = "bad" if chosen < 0 else "f1"
    body.append(drawing.element("circle", kind, cx=x(chosen), cy=MIDDLE, r=4.2))
    words = f"{whole(chosen)}, from {whole(min(every))} to {whole(max(every))}"
    return drawing.svg(WIDTH, HEIGHT, f"{name}: margin by rule", words, body, inline=True)


def whole(amount: Decimal) -> str:
    """Return "−3,120": the amount without cents."""
    return f"{round(amount) + 0:,}".replace("-", MINUS)
