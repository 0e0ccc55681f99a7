"""The tier table: dimensions by tiers, as the page draws it.

Pure.

table(before, after)    columns for every tier, the one in force and the one of the draft; a cell
                        for each dimension
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from governance.operations.policies.effective_policies import EffectivePolicy, Scope
from governance.operations.policies.policy_diff import briefly, said
from governance.operations.policies.preview import lifted
from governance.operations.policies.strictness import (
    DIMENSIONS,
    Decided,
    Dimension,
    Tier,
    Value,
    compare,
    covers,
)

type Part = Literal["", "now", "next"]


@dataclass(frozen=True, slots=True)
class TierColumn:
    """One tier.

    `part` says whether it is in force, or the draft's; `below` in how many dimensions the floor
    lifts it.
    """

    tier: Tier
    part: Part
    below: int
    sub: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One value.

    `struck` is what the tier says where something stricter holds; `marks` say what decides it.
    """

    value: Value
    word: str
    means: str
    pips: tuple[int, int] | None
    struck: bool
    marks: Sequence[str]  # floor, override
    style: str
    layers: Sequence[
        tuple[str, str, bool]
    ]  # (layer, value, decides): where it is more than the tier's word
    holds: str = ""  # instead of a struck value


@dataclass(frozen=True, slots=True)
class TierTableRow:
    dimension: Dimension
    cells: Sequence[Cell]


@dataclass(frozen=True, slots=True)
class TierTable:
    columns: Sequence[TierColumn]
    rows: Sequence[TierTableRow]


def table(
    before: EffectivePolicy, after: EffectivePolicy | None, *, draft: str = "draft"
) -> TierTable:
    """`after` is the draft, or the tier that is looked at.

    Where it keeps the tier in force it has a column of its own.
    """
    columns = _columns(before, after, draft)
    now, then = before.effective(), after.effective() if after else {}
    rows = [
        TierTableRow(d, [_cell(before, after, column, d, now, then) for column in columns])
        for d in DIMENSIONS.values()
    ]
    return TierTable(columns, rows)


def _columns(
    before: EffectivePolicy, after: EffectivePolicy | None, draft: str
) -> list[TierColumn]:
    found: list[TierColumn] = []
    for key, tier in before.platform.tiers.items():
        below = len(lifted(before, tier))
        is_now, is_next = (
            key == before.content.tier,
            after is not None and key == after.content.tier,
        )
        if is_now:
            found.append(TierColumn(tier, "now", below, "in force"))
        if is_next:
            found.append(TierColumn(tier, "next", below, draft))
        if not is_now and not is_next:
            found.append(
                TierColumn(tier, "", below, f"below the minimum in {below}" if below else "")
            )
    return found


def _cell(
    before: EffectivePolicy,
    after: EffectivePolicy | None,
    column: TierColumn,
    which: Dimension,
    now: dict[str, Decided],
    then: dict[str, Decided],
) -> Cell:
    key = which.key
    if column.part == "now":
        return _decided(now[key], which, column.part)
    if column.part == "next" and after is not None:
        moved = "same" if compare(key, now[key].value, then[key].value) == "same" else "moved"
        return _decided(then[key], which, f"{column.part} {moved}")
    return _of_tier(before, column.tier, which)


def _of_tier(standing: EffectivePolicy, tier: Tier, which: Dimension) -> Cell:
    value, floor = tier.values[which.key], standing.platform.floor.get(which.key)
    below = floor is not None and not covers(which.key, value, floor)
    marks = ["floor"] if floor == value else []
    return _drawn(
        which,
        value,
        struck=below,
        marks=marks,
        style="",
        layers=(),
        holds=said(floor) if below else "",
    )


def _decided(decided: Decided, which: Dimension, style: str) -> Cell:
    tier = next(
        (layer.values[which.key] for layer in decided.spoke if layer.kind == "tier"), decided.value
    )
    kinds = {layer.kind for layer in decided.spoke if layer.values[which.key] == decided.value}
    marks = [
        name
        for name, kind in (("floor", "floor"), ("override", "override"))
        if kind in kinds and (kind == "floor" or tier != decided.value)
    ]
    return _drawn(
        which, decided.value, struck=False, marks=marks, style=style, layers=layers(decided)
    )


def layers(decided: Decided) -> list[tuple[str, str, bool]]:
    """(layer, what it says, whether it decides) of all that spoke."""
    return [
        (layer.name, said(layer.values[decided.key]), layer in decided.by)
        for layer in decided.spoke
    ]


def _drawn(
    which: Dimension,
    value: Value,
    *,
    struck: bool,
    marks: Sequence[str],
    style: str,
    layers: Sequence[tuple[str, str, bool]],
    holds: str = "",
) -> Cell:
    pips = (which.rank(value) + 1, len(which.levels)) if which.levels else None
    return Cell(
        value, briefly(value), means(which, value), pips, struck, marks, style, layers, holds
    )


def means(which: Dimension, value: Value) -> str:
    """What a value means to a person."""
    if which.levels:
        return next(level.means for level in which.levels if level.value == value)
    if isinstance(value, frozenset):
        return (
            {True: "No model may be called", False: ", ".join(sorted(value))}[not value]
            if value != {"*"}
            else "Every model may be called"
        )
    return f"At most {said(value)} {which.unit}".rstrip()


@dataclass(frozen=True, slots=True)
class Ruling:
    """One dimension of one system: the value in force, who decides it, all that spoke."""

    dimension: Dimension
    value: Value
    word: str
    means: str
    set_by: str
    layers: Sequence[tuple[str, str, bool]]
    overridden: bool  # by the tenant or for the system: there is something to remove


def rulings(standing: EffectivePolicy, system: Scope) -> list[Ruling]:
    own = (
        standing.content.overrides
        if system is None
        else standing.content.systems.get(system.id, {})
    )
    return [
        Ruling(
            DIMENSIONS[key],
            d.value,
            briefly(d.value),
            means(DIMENSIONS[key], d.value),
            d.set_by,
            layers(d),
            key in own,
        )
        for key, d in standing.effective(system).items()
    ]
