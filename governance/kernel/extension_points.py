"""Extension points: additions of features to another one, by their manifests, with its type.

The feature that is added to declares the point; the kernel knows neither its name nor its type.

    GATES: ExtensionPoint[Gate] = ExtensionPoint("gate", key=lambda gate: gate.key)

    manifest = Manifest(name="red_teams", …, extensions=(GATES(gates.AGE),))

    for gate in GATES.parts(): …
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Extension[T]:
    """The additions of one feature at a point."""

    point: "ExtensionPoint[T]"
    parts: tuple[T, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ExtensionPoint[T]:
    """A place where features add parts of one type. `noun` is what people call a part.

    With a `key`, two parts of one key stop the start.
    """

    noun: str
    key: Callable[[T], str] | None = None

    def __call__(self, *parts: T) -> Extension[T]:
        return Extension(self, parts)

    def parts_of(self, extensions: Iterable[Extension[Any]]) -> tuple[T, ...]:
        """Return what these extensions add here."""
        return tuple(part for each in extensions if each.point is self for part in each.parts)

    def parts(self) -> tuple[T, ...]:
        """Return what the installed features add, in the order of app/features.py."""
        return _added.get(self, ())


_added: dict[ExtensionPoint[Any], tuple[Any, ...]] = {}


def install(extensions: Iterable[Extension[Any]]) -> None:
    """Make these the additions of all points, and drop what was installed before."""
    _added.clear()
    for each in extensions:
        _added[each.point] = (*_added.get(each.point, ()), *each.parts)
