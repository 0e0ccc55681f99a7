"""Tables of settings by tier, and of the settings of one AI system. Pure.

table(before, after)      a column for every tier, with the current one and the draft's
rulings(policy, system)   the value of each setting, and the layers that set it
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from governance.operations.policies.dimensions import DIMENSIONS, Dimension, Value
from governance.operations.policies.effective_policies import EffectivePolicy, Scope
from governance.operations.policies.preview import lifted
from governance.operations.policies.setting_labels import short_label, value_label, value_meaning
from governance.operations.policies.strictness import Decided, compare, covers
from governance.operations.policies.tiers import Tier

type Part = Literal["", "now", "next"]


@dataclass(frozen=True, slots=True)
class TierColumn:
    """One tier.

    `part` is "now" for the tier in force and "next" for the draft's. `below` counts the settings
    whose platform minimum is stricter.
    """

    tier: Tier
    part: Part
    below: int
    sub: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One value.

    `struck` is a tier's value that the stricter `minimum` replaces. `marks` (floor, override) name
    its source, and `layers` are (layer, value, True if it decides).
    """

    value: Value
    label: str
    means: str
    pips: tuple[int, int] | None
    struck: bool
    marks: Sequence[str]
    style: str
    layers: Sequence[tuple[str, str, bool]]
    minimum: str = ""


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
    """Return the table. `after` is the draft or a previewed tier.

    A draft that keeps the current tier has its own column.
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
            found.append(TierColumn(tier, "now", below, "current"))
        if is_next:
            found.append(TierColumn(tier, "next", below, draft))
        if not is_now and not is_next:
            found.append(TierColumn(tier, "", below, f"below minimum in {below}" if below else ""))
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


def _of_tier(policy: EffectivePolicy, tier: Tier, which: Dimension) -> Cell:
    value, floor = tier.values[which.key], policy.platform.floor.get(which.key)
    below = floor is not None and not covers(which.key, value, floor)
    marks = ["floor"] if floor == value else []
    return _drawn(
        which,
        value,
        struck=below,
        marks=marks,
        style="",
        layers=(),
        minimum=value_label(floor, which) if below else "",
    )


def _decided(decided: Decided, which: Dimension, style: str) -> Cell:
    tier = next(
        (layer.values[which.key] for layer in decided.layers if layer.kind == "tier"), decided.value
    )
    kinds = {layer.kind for layer in decided.layers if layer.values[which.key] == decided.value}
    marks = [
        name
        for name, kind in (("floor", "floor"), ("override", "override"))
        if kind in kinds and (kind == "floor" or tier != decided.value)
    ]
    return _drawn(
        which, decided.value, struck=False, marks=marks, style=style, layers=layers(decided)
    )


def layers(decided: Decided) -> list[tuple[str, str, bool]]:
    """Return (layer, its value, True if it decides) of every layer that sets it."""
    return [
        (
            layer.label or layer.name,
            value_label(layer.values[decided.key], decided.key),
            layer in decided.by,
        )
        for layer in decided.layers
    ]


def _drawn(
    which: Dimension,
    value: Value,
    *,
    struck: bool,
    marks: Sequence[str],
    style: str,
    layers: Sequence[tuple[str, str, bool]],
    minimum: str = "",
) -> Cell:
    pips = (which.rank(value) + 1, len(which.levels)) if which.levels else None
    return Cell(
        value,
        short_label(value, which),
        value_meaning(which, value),
        pips,
        struck,
        marks,
        style,
        layers,
        minimum,
    )


@dataclass(frozen=True, slots=True)
class Ruling:
    """One setting of one system: the value in force, the deciding layer, and every layer."""

    dimension: Dimension
    value: Value
    label: str
    means: str
    decided_by: str
    layers: Sequence[tuple[str, str, bool]]
    is_overridden: bool  # Overridden in exactly this scope


def rulings(policy: EffectivePolicy, system: Scope) -> list[Ruling]:
    own = policy.content.overrides if system is None else policy.content.systems.get(system.id, {})
    return [
        Ruling(
            DIMENSIONS[key],
            d.value,
            short_label(d.value, key),
            value_meaning(DIMENSIONS[key], d.value),
            d.decided_by,
            layers(d),
            key in own,
        )
        for key, d in policy.effective(system).items()
    ]
