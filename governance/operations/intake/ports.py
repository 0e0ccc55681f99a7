"""Ports of intake that features above it implement."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class MappedControl:
    """An active control of the tenant that satisfies a requirement, in full or in part."""

    id: UUID
    ref: str
    title: str


@dataclass(frozen=True, slots=True)
class DocumentPoint:
    """A point in a completed document of a system, with the document's page."""

    words: str  # "Technical file, version 2, point 2.e"
    endpoint: str
    values: Mapping[str, Any]


def _none(_refs: Collection[str]) -> Mapping[str, Sequence[MappedControl]]:
    return {}


mapped_controls: Port[Callable[[Collection[str]], Mapping[str, Sequence[MappedControl]]]] = Port(
    "the controls of requirements of the NIST AI RMF, by id", default=_none
)
document_points: Port[Callable[[UUID], Mapping[str, DocumentPoint]]] = Port(
    "the points that completed documents of an AI system cover, and each kind of document by its key",
    default=lambda _system_id: {},
)
