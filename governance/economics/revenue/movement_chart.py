"""A chart of MRR movements by month: gains above the line, losses below it."""

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from governance.economics.formulas.money import short_money
from governance.economics.revenue.mrr import Bridge
from governance.kernel.pictures import drawing

WIDTH, HEIGHT = 860, 240
LEFT, TOP, FOOT = 58, 20, 26
GAINS = (
    ("new", "f1", "New"),
    ("expansion", "mid", "Expansion"),
    ("reactivation", "f3", "Returned"),
)
LOSSES = (("contraction", "f4", "Contraction"), ("churn", "f2", "Churn"))
STEPS = 2  # grid lines on each side of zero


def key() -> list[tuple[str, str]]:
    """Return (ink, word) pairs for `c.key`."""
    return [(ink, word) for _name, ink, word in (*GAINS, *LOSSES)]


def short_name(bridge: Bridge) -> str:
    """Return the month's abbreviation, such as "Oct"."""
    return f"{bridge.first_day:%b}"


def net(bridge: Bridge) -> Decimal:
    """Return the net change of MRR in the month."""
    return bridge.end - bridge.start


def chart(bridges: Sequence[Bridge], currency: str) -> Markup:
    """Return a chart: a column per month, gains above zero, losses below, the net change on top."""
    most = max((_sum(each, parts) for each in bridges for parts in (GAINS, LOSSES)), default=1)
    top = drawing.ceiling(float(most))
    room = HEIGHT - TOP - FOOT - 14
    losses = drawing.ceiling(float(max((_sum(each, LOSSES) for each in bridges), default=0)) or 0.1)
    below = min(losses, top)
    scale = room / (top + below)
    zero = TOP + top * scale
    slot = (WIDTH - LEFT) / max(len(bridges), 1)
    body = _grid(zero, top, below, scale, currency)
    for n, each in enumerate(bridges):
        x, thick = LEFT + slot * (n + 0.18), slot * 0.64
        highest = _stack(body, each, GAINS, x, thick, zero, -scale)
        _stack(body, each, LOSSES, x, thick, zero, scale)
        middle = x + thick / 2
        if change := net(each):
            words = f"{'+' if change > 0 else ''}{short_money(change, currency)}"
            body.append(
                drawing.label(middle, highest - 5, words, "lab2", anchor="middle", weight=500)
            )
        body.append(drawing.label(middle, HEIGHT - 6, short_name(each), "tick", anchor="middle"))
    figures = "; ".join(_words(each, currency) for each in bridges)
    return drawing.svg(WIDTH, HEIGHT, "MRR movements by month", figures, body)


def _sum(bridge: Bridge, parts: Sequence[tuple[str, str, str]]) -> Decimal:
    return sum((getattr(bridge, name) for name, _ink, _word in parts), Decimal(0))


def _stack(
    body: list[Markup],
    bridge: Bridge,
    parts: Sequence[tuple[str, str, str]],
    x: float,
    thick: float,
    zero: float,
    scale: float,
) -> float:
    """Draw the parts away from zero; return the smaller y that they reach."""
    level = zero
    for name, ink, _word in parts:
        length = float(getattr(bridge, name)) * scale
        if length:
            body.append(drawing.bar(x, min(level, level + length), thick, abs(length), ink))
            level += length
    return min(zero, level)


def _grid(zero: float, top: float, below: float, scale: float, currency: str) -> list[Markup]:
    step = top / STEPS
    lines = [n * step for n in range(-int(below // step), STEPS + 1)]
    body = []
    for value in lines:
        y = zero - value * scale
        path = f"M{LEFT} {drawing.coordinate(y)}H{WIDTH}"
        body.append(drawing.element("path", "grid" if value else "axis", d=path))
        words = short_money(Decimal(value), currency)
        body.append(drawing.label(LEFT - 7, y + 4, words, "tick", anchor="end"))
    return body


def _words(bridge: Bridge, currency: str) -> str:
    parts = ", ".join(
        f"{word.lower()} {short_money(getattr(bridge, name), currency)}"
        for name, _ink, word in (*GAINS, *LOSSES)
        if getattr(bridge, name)
    )
    return f"{bridge.first_day:%b %Y}: {parts or 'nothing moved'}"
