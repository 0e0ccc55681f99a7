"""The section "Order of proof": its title, chart and table, exceptions first. Pure.

order_section(snapshot) -> OrderSection | None      None if the report has no order proof
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from governance.publishing.reports.ai_rmf.drawings import ACCENT, HAIR, INK, SANS, SOFT, WIDTH
from governance.publishing.reports.order.chains import (
    ACCEPTED,
    APPROVED,
    CONCLUDED,
    DRAFTED,
    DRAWN,
    FIRST,
    FROZEN,
    LAST,
    PUBLISHED,
    REQUESTED,
    SIGNED,
    TESTED,
    UPLOADED,
    Chain,
    people_of,
)
from governance.publishing.reports.order.check import read_entries
from governance.publishing.reports.wording import NO_VALUE, capital, digits, has, many

TOPIC = "Order of proof"
ALERT = "#b8360b"
MAX_ROWS, MAX_DRAWN = 72, 12
# Per kind: the noun, and the columns with the steps in each.
COLUMNS: Mapping[str, tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    "requirement": (
        "requirement",
        (
            ("Evidence", (UPLOADED, ACCEPTED)),
            ("Test", (TESTED,)),
            ("Conclusion", (CONCLUDED,)),
            ("Sign-off", (SIGNED,)),
        ),
    ),
    "sample": (
        "sample",
        (
            ("Population frozen", (FROZEN,)),
            ("Sample drawn", (DRAWN,)),
            ("First result", (FIRST,)),
            ("Last result", (LAST,)),
        ),
    ),
    "policy": (
        "policy version",
        (
            ("Drafted", (DRAFTED,)),
            ("Requested", (REQUESTED,)),
            ("Approved", (APPROVED,)),
            ("Published", (PUBLISHED,)),
        ),
    ),
}
SHAPES = ("dot", "triangle", "diamond", "square")


@dataclass(frozen=True, slots=True)
class OrderRow:
    """A chain: its places by column, the number of its people, and its exceptions."""

    subject: str
    places: tuple[str, ...]
    people: int
    exceptions: str


@dataclass(frozen=True, slots=True)
class OrderSection:
    title: str
    lede: str
    heads: tuple[str, ...]
    rows: tuple[OrderRow, ...]
    left_out: int
    chart: Markup
    chart_title: str


def order_section(snapshot: Mapping[str, Any]) -> OrderSection | None:
    order = snapshot.get("order")
    if not order:
        return None
    # Exceptions first, then subjects in the report's order.
    chains: list[Chain] = sorted(order["chains"], key=lambda each: not each["exceptions"])
    entries = read_entries(order)
    noun, columns = COLUMNS[chains[0]["kind"]]
    wrong = [each for each in chains if each["exceptions"]]
    rows = [
        OrderRow(
            each["subject"],
            tuple(_places(each, steps) for _, steps in columns),
            people_of(each, entries),
            ". ".join(each["exceptions"]),
        )
        for each in chains[:MAX_ROWS]
    ]
    title = _title(noun, len(chains), len(wrong))
    return OrderSection(
        title,
        _lede(order["size"], len(entries)),
        ("Subject", *(name for name, _ in columns), "People", "Exceptions"),
        tuple(rows),
        len(chains) - len(rows),
        _chart([each for each in chains if each["steps"]][:MAX_DRAWN], columns, title),
        _chart_title(len(wrong)),
    )


def order_contents(snapshot: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the section's anchor, topic and title for the table of contents.

    Empty without a proof.
    """
    section = order_section(snapshot)
    return [("order", TOPIC, section.title)] if section else []


def _title(noun: str, count: int, wrong: int) -> str:
    if not wrong:
        return capital(
            f"{many(count, noun)}: every step is in the log, in order and by the right people"
        )
    return capital(
        f"{many(wrong, noun)} of {digits(count)} {has(wrong)} an exception to the order of proof"
    )


def _chart_title(wrong: int) -> str:
    if wrong:
        return f"The {many(min(wrong, MAX_DRAWN), 'exception')} and the chains after them"
    return "Each step follows the one that it rests on"


def _lede(size: int, entries: int) -> str:
    return (
        f"The places are positions in the audit log of {digits(size)} entries. The report contains"
        f" {many(entries, 'entry', 'entries')} of it with proofs to the checkpoint on the cover, so"
        " that the verifier checks the order and the people without trusting Meridian."
    )


def _places(chain: Chain, steps: Sequence[str]) -> str:
    """Return the places, such as "812", or "812 to 1,204" for several."""
    found = [each["place"] for each in chain["steps"] if each["step"] in steps]
    if not found:
        return NO_VALUE
    first, last = min(found), max(found)
    return digits(first) if first == last else f"{digits(first)} to {digits(last)}"


LEFT, RIGHT, ROW, TOP = 112.0, 44.0, 15.0, 8.0


def _chart(
    chains: Sequence[Chain], columns: Sequence[tuple[str, tuple[str, ...]]], title: str
) -> Markup:
    """Draw a line for each chain, from its first entry to its last, with a mark for each step."""
    parts, wide = [], WIDTH - LEFT - RIGHT
    for line, chain in enumerate(chains):
        y, ink = TOP + ROW * line, ALERT if chain["exceptions"] else ACCENT
        places = [step["place"] for step in chain["steps"]]
        first, last = min(places), max(places)
        parts.append(_text(0, y + 2.6, chain["subject"][:18], INK))
        parts.append(_text(LEFT - 8, y + 2.6, digits(first), SOFT, "end"))
        parts.append(_text(WIDTH - RIGHT + 8, y + 2.6, digits(last), SOFT))
        parts.append(_line(LEFT, WIDTH - RIGHT, y, HAIR, 0.8))
        for shape, (_, steps) in zip(SHAPES, columns, strict=True):
            parts += [
                _mark(shape, LEFT + wide * (step["place"] - first) / max(1, last - first), y, ink)
                for step in chain["steps"]
                if step["step"] in steps
            ]
    x, key = LEFT, TOP + ROW * len(chains) + 8
    for shape, (name, _) in zip(SHAPES, columns, strict=True):
        parts.append(_mark(shape, x + 4, key - 2.6, ACCENT))
        parts.append(_text(x + 12, key, name, SOFT))
        x += 28 + 4.2 * len(name)
    height = key + 4
    return Markup(  # noqa: S704 - every text in it is escaped
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH:g}pt" height="{height:g}pt"'
        f' viewBox="0 0 {WIDTH:g} {height:g}"><title>{escape(title)}. One line for each, from its'
        f" first entry to its last.</title>{''.join(parts)}</svg>"
    )


def _line(x1: float, x2: float, y: float, ink: str, width: float) -> str:
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="{ink}"'
        f' stroke-width="{width}"/>'
    )


def _text(x: float, y: float, text: str, ink: str, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{ink}" font-family="{SANS}" font-size="7.4"'
        f' text-anchor="{anchor}">{escape(text)}</text>'
    )


def _mark(shape: str, x: float, y: float, ink: str) -> str:
    if shape == "dot":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.4" fill="{ink}"/>'
    points = {
        "triangle": ((0, -3), (3, 2.4), (-3, 2.4)),
        "diamond": ((0, -3.4), (3.4, 0), (0, 3.4), (-3.4, 0)),
        "square": ((-2.5, -2.5), (2.5, -2.5), (2.5, 2.5), (-2.5, 2.5)),
    }[shape]
    path = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in points)
    return f'<polygon points="{path}" fill="{ink}"/>'
