"""The proofs of the log as drawings.

proof_tree()                     the idea of a proof, for the sign-in page
proof_path(steps, leaf, root)    the proof of one entry
"""

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from governance.kernel.pictures import drawing


def proof_tree(
    leaves: int = 8, proven: int = 5, *, top: str = "signed checkpoint", leaf: str = "your entry"
) -> Markup:
    """Draw a Merkle tree with the path from one entry to the signed root."""
    width, height, rows = 480, 232, max(leaves.bit_length() - 1, 1)
    gap, rise = width / leaves, 60
    faint: list[str] = []
    bold: list[str] = []
    dots: list[Markup] = []
    for row in range(rows + 1):
        count = 2 ** (rows - row)
        y = 12 + (rows - row) * rise
        for n in range(count):
            x, on_path = (n + 0.5) * gap * 2**row, proven >> row == n
            dots.append(_node(x, y, on_path))
            if row < rows:
                up = ((n // 2) + 0.5) * gap * 2 ** (row + 1)
                (bold if on_path else faint).append(
                    f"M{drawing.coordinate(x)}"
                    f" {y}V{y - rise / 2}H{drawing.coordinate(up)}V{y - rise}"
                )
    x, y = (proven + 0.5) * gap, 12 + rows * rise
    body = [
        drawing.element("path", "axis", d="".join(faint), fill="none", stroke_width=1.3),
        drawing.element("path", "s1", d="".join(bold), fill="none", stroke_width=2),
        *dots,
        drawing.label(width / 2 + 14, 16, top, "lab", weight=600),
        drawing.label(x, y + 26, leaf, "lab", weight=600, anchor="middle"),
    ]
    words = (
        f"A tree of {leaves} log entries with the path from one entry to the signed checkpoint"
        " highlighted"
    )
    return drawing.svg(
        width, height, words, f"{rows} steps from the entry to the root", body, extra="c-chart-hero"
    )


type Side = Literal["left", "right"]
STRIDES = (20, 36, 70)  # Px from a node to its parent, from the entry up; at most three steps.


def proof_path(steps: Sequence[tuple[Side, str]], leaf: str, root: str, *, top: str) -> Markup:
    """Draw the proof of one entry: from the entry up to the signed root, with the sibling hashes.

    `steps` are (side, hash) of the siblings from the entry up; of many, only the lowest and the two
    highest are drawn.
    """
    drawn = list(steps) if len(steps) <= len(STRIDES) else [steps[0], *steps[-2:]]
    missing, rise, gap = len(steps) - len(drawn), 36, 30
    x, y = 0.0, 42.0 + rise * len(drawn) + (gap if missing else 0)
    height, points, siblings = y + 38, [(x, y)], list[tuple[float, float, str]]()
    dashes: list[tuple[float, float]] = []
    for n, (side, digest) in enumerate(drawn):
        if n == 1 and missing:
            dashes.append((x, y))
            y -= gap
        stride, lower = STRIDES[n + len(STRIDES) - len(drawn)] * (1 if side == "right" else -1), y
        x, y = x + stride, y - rise
        siblings.append((x + stride, lower, digest))
        points.append((x, y))
    left = min(
        [
            -46.0,
            *(
                sx - 82
                for (sx, _, _), (side, _) in zip(siblings, drawn, strict=True)
                if side == "left"
            ),
        ]
    )
    return _proof_picture(
        points, siblings, dashes, (366, height, -left), (leaf, root, top, missing)
    )


def _proof_picture(
    points: Sequence[tuple[float, float]],
    siblings: Sequence[tuple[float, float, str]],
    dashes: Sequence[tuple[float, float]],
    frame: tuple[float, float, float],
    words: tuple[str, str, str, int],
) -> Markup:
    (width, height, shift), (leaf, root, top, missing) = frame, words
    body: list[Markup] = []
    for (sx, sy, _), (px, py) in zip(siblings, points[1:], strict=True):
        body.append(
            drawing.element(
                "path",
                "axis",
                d=(
                    f"M{drawing.coordinate(sx + shift)}"
                    f" {drawing.coordinate(sy)}L{drawing.coordinate(px + shift)}"
                    f" {drawing.coordinate(py)}"
                ),
                fill="none",
                stroke_width=1.3,
            )
        )
    at = points[0]
    for n, (px, py) in enumerate(points[1:]):
        if n == 1 and dashes:
            body.append(
                drawing.element(
                    "path",
                    "s1",
                    d=f"M{drawing.coordinate(at[0] + shift)} {drawing.coordinate(at[1])}v-30",
                    fill="none",
                    stroke_width=2,
                    stroke_dasharray="2 4",
                )
            )
            body.append(drawing.label(at[0] + shift + 9, at[1] - 12, f"{missing} more", "tick"))
            at = (at[0], at[1] - 30)
        body.append(
            drawing.element(
                "path",
                "s1",
                d=(
                    f"M{drawing.coordinate(at[0] + shift)}"
                    f" {drawing.coordinate(at[1])}L{drawing.coordinate(px + shift)}"
                    f" {drawing.coordinate(py)}"
                ),
                fill="none",
                stroke_width=2,
            )
        )
        at = (px, py)
    for (sx, sy, digest), (px, _) in zip(siblings, points[1:], strict=True):
        is_right = sx > px
        body += [
            _node(sx + shift, sy, on_path=False),
            *_two_lines(sx + shift + (14 if is_right else -14), sy, digest, "sibling", is_right),
        ]
    body += [_node(px + shift, py, on_path=True) for px, py in points]
    if dashes:
        body.append(_node(points[1][0] + shift, points[1][1] - 30, on_path=True))
    (bx, by), (rx, ry) = points[0], points[-1]
    body += [
        drawing.label(bx + shift, by + 20, "this entry", "lab", weight=600, anchor="middle"),
        drawing.label(bx + shift, by + 34, leaf, "tick", anchor="middle"),
    ]
    body += _two_lines(
        max(0, min(rx + shift - 66, width - 136)), ry - 26, top, root, is_right=True, bold=True
    )
    steps = len(siblings) + missing
    summary = f"The path from this entry to the {top}, {steps} step{'' if steps == 1 else 's'} long"
    return drawing.svg(
        width,
        height,
        summary,
        ", ".join(digest for _, _, digest in siblings) or "no sibling hashes",
        body,
        extra="c-chart-tree",
    )


def _two_lines(
    x: float,
    y: float,
    first: str,
    second: str,
    is_right: bool,  # noqa: FBT001
    *,
    bold: bool = False,
) -> list[Markup]:
    anchor = "start" if is_right else "end"
    kind, weight = ("lab", 600) if bold else ("tick", 400)
    return [
        drawing.label(x, y, first, kind, weight=weight, anchor=anchor),
        drawing.label(x, y + 13, second, "tick", anchor=anchor),
    ]


def _node(x: float, y: float, on_path: bool) -> Markup:  # noqa: FBT001
    if on_path:
        return drawing.element("circle", "f1", cx=x, cy=y, r=6.5)
    return Markup(
        '<circle class="k-gap k-axis" fill="#ffffff" stroke="#c6ced5" cx="{}" cy="{}" r="5"/>'
    ).format(drawing.coordinate(x), drawing.coordinate(y))
