"""Ports that features above evidence answer."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select

from governance.kernel.ports import Port


def _none(_version_ids: Collection[UUID]) -> Mapping[UUID, str]:
    return {}


supported_controls: Port[Callable[[], Select[UUID, str, str, datetime | None]]] = Port(
    "the controls that evidence can support"
)
"""A query of id, ref, title and retired_at of all controls of the tenant, for joins."""

versions_to_keep: Port[Callable[[Collection[UUID]], Mapping[UUID, str]]] = Port(
    "which versions must not be deleted now, each with a sentence that says why", default=_none
)
