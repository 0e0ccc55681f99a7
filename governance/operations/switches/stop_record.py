"""The record of a stop as a file: times, planes, and each consumer's speed of obedience.

It has no person's name and no reason, because a filed version never changes and an erasure couldn't
reach it. Both are in the audit log, under the id in the first column.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.data.db import find
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.operations.switches import queries
from governance.operations.switches.models import Stop
from governance.operations.switches.stop_propagation import Obedience
from governance.operations.systems.models import AISystem, SystemFeature

HEAD = (
    "Stop",
    "Scope",
    "Switch",
    "Planes",
    "Stopped",
    "Restarted",
    "Expected",
    "Obeyed",
    "Consumer",
    "Region",
    "Obeyed after (s)",
)
TENANT = "everything"


@dataclass(frozen=True, slots=True)
class StopRecord:
    """The record of a stop. `system` is the stopped system's slug, None for all; `sheet` is CSV."""

    stop_id: UUID
    system: str | None
    stopped_on: date
    restarted_on: date
    sheet: bytes


def read(stop_id: UUID) -> StopRecord:
    """Return the record of a stop that has ended.

    Raises NotFound for an unknown stop, ValueError while it lasts.
    """
    stop = find(Stop, stop_id, what="stop")
    if stop.restarted_at is None:
        raise ValueError("the stop has not ended")
    system = find(AISystem, stop.system_id) if stop.system_id else None
    feature = find(SystemFeature, stop.feature_id) if stop.feature_id else None
    switch = " · ".join(each.key for each in (system, feature) if each is not None) or TENANT
    sheet = _sheet(stop, switch, queries.obediences([stop])[stop.id])
    return StopRecord(
        stop.id,
        system.key if system else None,
        stop.created_at.date(),
        stop.restarted_at.date(),
        sheet,
    )


def _sheet(stop: Stop, switch: str, found: Obedience) -> bytes:
    """Return a row for each expected consumer, or one row without a consumer."""
    planes = " and ".join(
        name for name, stopped in (("generate", stop.generate), ("serve", stop.serve)) if stopped
    )
    ended = stop.restarted_at.isoformat() if stop.restarted_at else ""
    about = (
        str(stop.id),
        stop.scope,
        switch,
        planes,
        stop.created_at.isoformat(),
        ended,
        found.expected,
        found.obeyed,
    )
    each = [(one.listener.name, one.listener.region, one.seconds) for one in found.each] or [
        ("", "", None)
    ]
    return csv_bytes(HEAD, ((*about, *one) for one in each))
