"""The drawings of a report, as SVG in points (493 wide is 174 mm).

Every color is a presentation attribute. Each drawing has a `<title>` with its finding and numbers,
which becomes the alternative text in the PDF.
"""

from collections.abc import Sequence
from html import escape
from math import cos, pi, sin

from markupsafe import Markup

from governance.publishing.reports.ai_rmf.figures import CoveragePosition, Figures, proven_at
from governance.publishing.reports.ai_rmf.ranking import Action
from governance.publishing.reports.ai_rmf.snapshot import LEVELS, Function, Movement, of_function
from governance.publishing.reports.wording import NB, per_cent

WIDTH = 493.0  # 174 mm
INK, SOFT, ACCENT, HAIR, RULE = "#161b26", "#535d6c", "#27348f", "#dfe3ea", "#b9c0cc"
FILLS = ("#ffffff", "#dde1f4", "#b0b9e6", "#5a6acb", "#27348f")
ON_FILL = (INK, INK, INK, "#ffffff", "#ffffff")
SANS = "Report Sans"
SHOWN_QUARTERS, SHOWN_ACTIONS = 6, 14


def cover_dots(functions: Sequence[Function], alt: str, *, label: float = 47.0) -> Markup:
    """Draw a white circle for each requirement, by function and category, filled to its level.

    `label` is the room for names, in points.
    """
    gap, row = 10.0, 24.0
    longest = max(
        (_length(each) for each in functions),
        default=(1, 0),
        key=lambda pair: pair[0] * 19 + pair[1] * gap,
    )
    pitch = min(19.0, (WIDTH - label - longest[1] * gap) / max(1, longest[0]))
    parts = []
    for line, function in enumerate(functions):
        y, x = row * line + 10, label + pitch / 2
        parts.append(_text(0, y + 2.6, function["key"].capitalize(), fill="#dfe3f6", size=7.8))
        for category in function["categories"]:
            for requirement in category["requirements"]:
                parts.append(_ball(x, y, pitch * 0.375, requirement["level"]))
                x += pitch
            x += gap
    return _svg(WIDTH + 4, row * len(functions), alt, parts)


def cover_rows(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[int]]], alt: str) -> Markup:
    """Draw a row of white circles per label, filled to their levels (0 to 4), under the heads."""
    label, row, top = 92.0, 26.0, 16.0
    pitch = (WIDTH - label) / max(1, len(heads))
    middles = [label + pitch * (place + 0.5) for place in range(len(heads))]
    parts = [
        _text(x, 6, head, fill="#dfe3f6", size=6.6, anchor="middle")
        for x, head in zip(middles, heads, strict=True)
    ]
    for line, (name, levels) in enumerate(rows):
        y = top + row * line + 9
        parts.append(_text(0, y + 2.6, name, fill="#dfe3f6", size=7.8))
        parts += [_ball(x, y, 7.6, level) for x, level in zip(middles, levels, strict=True)]
    return _svg(WIDTH + 4, top + row * max(1, len(rows)), alt, parts)


def levels_by_quarter(movement: Sequence[Movement], alt: str) -> Markup:
    """Draw stacked columns: requirements by level at the end of each period, with level 4 lowest."""
    shown = movement[-SHOWN_QUARTERS:]
    height, top, bar = 155.0, 16.0, 56.0
    pitch = min(82.0, 394.0 / max(1, len(shown)))
    bar = min(bar, pitch - 12)
    scale = height / max(1, *(sum(each["levels"]) for each in shown))
    parts: list[str] = []
    for column, each in enumerate(shown):
        x, last = column * pitch, column == len(shown) - 1
        parts.append(_text(x, 9, f"{proven_at(each)} proven", weight=600))
        segments = _stack(each["levels"], top, height, scale)
        for level, y, tall in segments:
            parts.append(_block(x, y, bar, tall, level))
            if tall >= 8:  # noqa: PLR2004 - the number is plain from its line
                parts.append(
                    _text(
                        x + bar / 2,
                        y + tall / 2 + 2.7,
                        str(each["levels"][level]),
                        anchor="middle",
                        fill=ON_FILL[level],
                    )
                )
        parts.append(_text(x, top + height + 12, each["label"], weight=600 if last else 400))
        if last:
            parts += _level_names(x + bar + 7, segments, top, top + height)
    return _svg(WIDTH, top + height + 16, alt, parts)


def levels_by_function(
    numbers: Figures,
    alt: str,
    *,
    left: float = 78.0,
    width: float = 300.0,
    row: float = 27.5,
    tall: float = 17.0,
    noun: str = "requirements",
) -> Markup:
    """Draw a bar for each function: its requirements by level, the highest level first.

    `left` is the room for names, `row` and `tall` the height of a line and of its bar, in points.
    """
    scale = width / max([1, *(each.total for each in numbers.by_function.values())])
    parts = [
        _text(left, 8, f"Number of {noun} by level", weight=600, fill=SOFT, size=7.3),
        _text(425, 8, "Proven", weight=600, fill=SOFT, size=7.3, anchor="end"),
        _text(WIDTH, 8, "Coverage", weight=600, fill=SOFT, size=7.3, anchor="end"),
    ]
    for line, (key, each) in enumerate(numbers.by_function.items()):
        parts += _function_bar(key, each, 17 + line * row, left, scale, tall)
    return _svg(WIDTH, 17 + row * len(numbers.by_function) - 6, alt, parts)


def steps(actions: Sequence[Action], whole: CoveragePosition, top: int, alt: str) -> Markup:
    """Draw what each action adds to coverage, in the table's order. The axis may start above 0."""
    shown = list(actions[:SHOWN_ACTIONS])
    left, right, ceiling, floor = 26.0, 485.0, 14.0, 84.0
    covered = [whole.reached]
    for action in shown:
        covered.append(covered[-1] + action.points)
    low = _axis_start(100 * whole.reached / whole.points)
    unit = (floor - ceiling) / (100 - low)

    def height(points: int) -> float:
        return floor - unit * (100 * points / whole.points - low)

    parts = _axis(low, left, right, ceiling, floor)
    pitch = min(60.0, (right - left) / max(1, len(shown)))
    for place, action in enumerate(shown):
        parts += _step(
            action,
            left + pitch * place,
            pitch,
            height(covered[place]),
            height(covered[place + 1]),
            floor,
            first=place < top,
            last=place == len(shown) - 1,
            gain=100 * action.points / whole.points,
        )
    after = per_cent(covered[top], whole.points)
    parts.append(_text(left, floor + 24, "Actions, in the order of the table", fill=SOFT, size=7.4))
    anchor = min(left + pitch * top + 6, right - 120)
    below = height(covered[top]) + 17
    if top and below < floor - 4:
        parts.append(
            _text(
                anchor,
                below,
                f"{after}% after {'one action' if top == 1 else f'{top} actions'}",
                weight=600,
                fill=ACCENT,
            )
        )
    return _svg(WIDTH, floor + 28, alt, parts)


def _length(function: Function) -> tuple[int, int]:
    return sum(1 for _ in of_function(function)), max(0, len(function["categories"]) - 1)


def _ball(x: float, y: float, radius: float, level: int) -> str:
    # The meaning of the number is clear from its line.
    ring = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{"#ffffff" if level == 4 else "none"}" stroke="#ffffff" stroke-width="1"/>'  # noqa: PLR2004
    if level in {0, 4}:
        return ring
    angle = pi * level / 2
    to_x, to_y = x + radius * sin(angle), y - radius * cos(angle)
    # The meaning of the number is clear from its line.
    arc = f"A {radius:.1f} {radius:.1f} 0 {int(level > 2)} 1 {to_x:.1f} {to_y:.1f}"  # noqa: PLR2004
    return f'{ring}<path d="M {x:.1f} {y:.1f} L {x:.1f} {y - radius:.1f} {arc} Z" fill="#ffffff"/>'


def _stack(
    levels: Sequence[int], top: float, height: float, scale: float
) -> list[tuple[int, float, float]]:
    """Return (level, y, height) from the bottom upward, without empty levels."""
    y, blocks = top + height, []
    for level in reversed(range(len(LEVELS))):
        tall = levels[level] * scale
        if tall:
            y -= tall
            blocks.append((level, y, tall))
    return blocks


def _block(x: float, y: float, wide: float, tall: float, level: int) -> str:
    stroke = RULE if level == 0 else "#ffffff"
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
        f' fill="{FILLS[level]}" stroke="{stroke}" stroke-width=".7"/>'
    )


def _level_names(
    x: float, blocks: Sequence[tuple[int, float, float]], top: float, foot: float
) -> list[str]:
    """Draw the names beside the last column, spread apart if blocks are low."""
    names, limit = [], foot
    for level, y, tall in blocks:
        at = min(y + tall / 2 + 2.7, limit)
        limit = at - 10
        names.append(_text(x, max(at, top - 8), f"{level} {LEVELS[level]}", fill=SOFT))
    return names


def _function_bar(
    key: str, each: CoveragePosition, y: float, left: float, scale: float, tall: float
) -> list[str]:
    middle, x = y + tall / 2 + 2.8, left
    parts = [_text(0, middle, key, weight=600, size=8.2)]
    for level in reversed(range(len(LEVELS))):
        wide = each.levels[level] * scale
        if wide:
            parts += [
                _block(x, y, wide, tall, level),
                _text(
                    x + wide / 2,
                    middle,
                    str(each.levels[level]),
                    anchor="middle",
                    fill=ON_FILL[level],
                ),
            ]
        x += wide
    cover = "no target" if each.coverage is None else f"{each.coverage}%"
    parts.append(_text(425, middle, f"{each.proven} of {each.total}", anchor="end"))
    parts.append(_text(WIDTH, middle, cover, weight=600, anchor="end", size=8.2))
    return parts


def _axis_start(coverage: float) -> int:
    """Return a multiple of 4 below the start, so that five grid lines have integer values."""
    return (
        max(0, int((coverage - 0.5) // 4) * 4)
        if coverage >= 60  # noqa: PLR2004
        else max(0, int((coverage - 0.5) // 20) * 20)
    )


def _axis(low: int, left: float, right: float, ceiling: float, floor: float) -> list[str]:
    step = next(
        each
        for each in (2, 4, 5, 10, 20, 25)
        if (100 - low) / each <= 5 and not (100 - low) % each  # noqa: PLR2004
    )
    parts = []
    for value in range(low, 101, step):
        y = floor - (floor - ceiling) * (value - low) / (100 - low)
        line, wide = (INK, 0.9) if value == low else (HAIR, 0.5)
        parts.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="{line}"'
            f' stroke-width="{wide}"/>'
        )
        parts.append(_text(left - 5, y + 2.6, str(value), fill=SOFT, anchor="end", size=7.4))
    return parts


def _step(
    action: Action,
    x: float,
    pitch: float,
    before: float,
    after: float,
    floor: float,
    *,
    first: bool,
    last: bool,
    gain: float,
) -> list[str]:
    fill, weight = (ACCENT, 600) if first else (FILLS[2], 400)
    wide = pitch * 0.74
    inset = (pitch - wide) / 2
    return [
        (
            f'<line x1="{x + inset:.1f}" y1="{after:.1f}"'
            f' x2="{x + (wide if last else pitch) + inset:.1f}" y2="{after:.1f}" stroke="{RULE}"'
            ' stroke-width=".5"/>'
        ),
        (
            f'<rect x="{x + inset:.1f}" y="{after:.1f}" width="{wide:.1f}"'
            f' height="{max(0.6, before - after):.1f}" fill="{fill}"/>'
        ),
        _text(
            x + pitch / 2,
            after - 3.5,
            f"+{gain:.1f}",
            weight=weight,
            anchor="middle",
            size=7.2,
            fill=INK if first else SOFT,
        ),
        _text(
            x + pitch / 2, floor + 11, str(action.number), weight=weight, anchor="middle", size=7.8
        ),
    ]


def _text(
    x: float,
    y: float,
    text: str,
    *,
    fill: str = INK,
    size: float = 7.8,
    weight: int = 400,
    anchor: str = "start",
) -> str:
    words = escape(text.replace(" ", NB))
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="{SANS}" font-size="{size}"'
        f' font-weight="{weight}" text-anchor="{anchor}" fill="{fill}">{words}</text>'
    )


def _svg(width: float, height: float, alt: str, parts: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704 - numbers of ours, and text that was escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{width:.0f}pt"'
        f' height="{height:.0f}pt" viewBox="0 0 {width:.0f}'
        f' {height:.0f}"><title>{escape(alt)}</title>{"".join(parts)}</svg>'
    )
