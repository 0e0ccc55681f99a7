"""Notify webhook endpoints of changes in the maintenance calendar."""

from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks import event_types
from governance.operations.maintenance import queries
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.measurements import queries as measurements
from governance.operations.systems import queries as systems

EXAMPLE = {
    "ref": "MNT-7",
    "title": "Database upgrade",
    "category": "maintenance",
    "system": "claims-triage",
    "indicator": None,
    "starts_at": "2026-11-29T01:00:00Z",
    "ends_at": "2026-11-29T03:00:00Z",
    "rrule": None,
    "repeat_until": None,
    "time_zone": "Europe/Berlin",
    "customer_visible": True,
}
for _name, _label in (
    ("maintenance.announced", "an exclusion such as maintenance is announced and approved"),
    ("maintenance.changed", "an announced exclusion changes"),
    ("maintenance.withdrawn", "an announced exclusion is withdrawn"),
):
    event_types.register(_name, _label, EXAMPLE)


def send(event: ExclusionChanged) -> None:
    """Queue the message, in the transaction of the change. It names no person and no reason."""
    row = queries.exclusion(event.exclusion_id)
    system = systems.system(row.system_id).key if row.system_id else None
    indicator = measurements.indicator(row.indicator_id).key if row.indicator_id else None
    webhooks.send(
        f"maintenance.{event.what}",
        {
            "ref": row.ref,
            "title": row.title,
            "category": row.category,
            "system": system,
            "indicator": indicator,
            "starts_at": row.starts_at,
            "ends_at": row.ends_at,
            "rrule": row.rrule,
            "repeat_until": row.repeat_until,
            "time_zone": row.time_zone,
            "customer_visible": row.is_customer_visible,
        },
    )
