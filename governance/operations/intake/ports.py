"""What intake asks of the features above it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class MappedControl:
    """A live control of the tenant that satisfies a requirement, in full or in part."""

    id: UUID
    ref: str
    title: str


def _none(_refs: Collection[str]) -> Mapping[str, Sequence[MappedControl]]:
    return {}


mapped_controls: Port[Callable[[Collection[str]], Mapping[str, Sequence[MappedControl]]]] = Port(
    "the controls of requirements of the NIST AI RMF, by id", default=_none
)
