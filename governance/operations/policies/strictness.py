"""The order of strictness: layers, and a join that no layer can undercut. Pure.

join(key, a, b), compare(…)        the stricter of two; the effect of a step
effective(layers, waivers)         per dimension the strictest of all layers, and the deciding
                                   layer

The join is a semilattice per dimension: commutative, associative, idempotent
(tests/operations/policies/test_strictness.py proves the six laws of design/policy.md by
properties).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from typing import Literal

from governance.operations.policies.dimensions import ANYTHING, DIMENSIONS, Value, dimension

type Move = Literal["same", "tightens", "loosens", "differs"]
type Kind = Literal["floor", "tier", "override", "risk", "system", "waiver"]


# ---- the order


def join(key: str, one: Value, other: Value) -> Value:
    """Return the least strict value that is at least as strict as both."""
    which = dimension(key)
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        if which.join == "union":
            return one | other
        return other if one == ANYTHING else one if other == ANYTHING else one & other
    if isinstance(one, int) and isinstance(other, int):
        return min(one, other) if which.join == "least" else max(one, other)
    return max(one, other, key=which.rank)


def covers(key: str, strict: Value, loose: Value) -> bool:
    """Return True if `strict` is at least as strict as `loose`."""
    return join(key, strict, loose) == strict


def compare(key: str, before: Value, after: Value) -> Move:
    """Return the effect of a step: "same", "tightens", "loosens" or "differs".

    Two lists of which neither contains the other "differ", which counts as loosening.
    """
    if before == after:
        return "same"
    if covers(key, after, before):
        return "tightens"
    return "loosens" if covers(key, before, after) else "differs"


def loosens(move: Move) -> bool:
    return move in {"loosens", "differs"}


# ---- layers


@dataclass(frozen=True, slots=True)
class Layer:
    """A partial assignment. The API uses its `name`, pages its `label`."""

    kind: Kind
    name: str
    values: Mapping[str, Value] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, slots=True)
class WaivedValue:
    """A live waiver: the value that replaces the platform minimum in one dimension, and its end."""

    key: str
    value: Value
    until: datetime
    name: str = "waiver"


@dataclass(frozen=True, slots=True)
class Decided:
    """The effective value of a dimension, with its layers.

    They are the layers that decide it (their join is the value), and all layers that set it.
    """

    key: str
    value: Value
    by: tuple[Layer, ...]
    layers: tuple[Layer, ...]

    @property
    def set_by(self) -> str:
        """The deciding layers by their names in the API."""
        return " and ".join(layer.name for layer in self.by)

    @property
    def decided_by(self) -> str:
        """The deciding layers by their names on pages."""
        return " and ".join(layer.label or layer.name for layer in self.by)


def effective(layers: Sequence[Layer], waivers: Iterable[WaivedValue] = ()) -> dict[str, Decided]:
    """Return the strictest value of each dimension that some layer sets.

    A waiver replaces the value of the platform minimum, never another layer's.
    """
    replaced = {
        waived.key: Layer("waiver", waived.name, {waived.key: waived.value}, "Waiver")
        for waived in waivers
    }
    setting = [
        (key, [_waived(layer, key, replaced) for layer in layers if key in layer.values])
        for key in DIMENSIONS
    ]
    return {key: _decide(key, tuple(found)) for key, found in setting if found}


def _waived(layer: Layer, key: str, replaced: Mapping[str, Layer]) -> Layer:
    """Return the waiver instead of the platform minimum, if it is below the minimum."""
    waiver = replaced.get(key) if layer.kind == "floor" else None
    if waiver is not None and covers(key, layer.values[key], waiver.values[key]):
        return waiver
    return layer


def _decide(key: str, layers: tuple[Layer, ...]) -> Decided:
    value = reduce(lambda a, b: join(key, a, b), (layer.values[key] for layer in layers))
    single = next((layer for layer in layers if layer.values[key] == value), None)
    return Decided(key, value, (single,) if single else _together(key, value, layers), layers)


def _together(key: str, value: Value, layers: tuple[Layer, ...]) -> tuple[Layer, ...]:
    """Return the lists that narrow to the value together, if no single one equals it."""
    reached, needed = layers[0].values[key], [layers[0]]
    for layer in layers[1:]:
        if reached != value and (narrower := join(key, reached, layer.values[key])) != reached:
            reached = narrower
            needed.append(layer)
    return tuple(needed)


def values(decided: Mapping[str, Decided]) -> dict[str, Value]:
    return {key: each.value for key, each in decided.items()}


@dataclass(frozen=True, slots=True)
class DimensionChange:
    """One dimension before and after a step."""

    key: str
    before: Value | None
    after: Value | None
    move: Move


def changes(before: Mapping[str, Value], after: Mapping[str, Value]) -> list[DimensionChange]:
    """Return the dimensions that differ. A removed value loosens, a new one tightens."""
    found = [
        DimensionChange(key, before.get(key), after.get(key), _move(key, before, after))
        for key in DIMENSIONS
    ]
    return [change for change in found if change.move != "same"]


def _move(key: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> Move:
    if key in before and key in after:
        return compare(key, before[key], after[key])
    return "loosens" if key in before else "tightens" if key in after else "same"
