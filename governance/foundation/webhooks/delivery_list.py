"""The list of an endpoint's deliveries: its declaration."""

from governance.foundation.webhooks import event_types, queries
from governance.kernel.pages.list_pages import Column, Filter, ListPage

STATES = (("queued", "Queued"), ("delivered", "Delivered"), ("dead", "Dead letter"))


def _types() -> list[tuple[str, str]]:
    names = [each.name for each in event_types.known()]
    return [(name, name) for name in [*names, event_types.TEST]]


DELIVERIES = ListPage(
    name="webhook_deliveries",
    title="Deliveries",
    noun="delivery",
    many="deliveries",
    endpoint="webhooks.endpoint",
    place=("endpoint_id",),
    find_place=queries.endpoint,
    sort="-created",
    columns=(
        Column("event", "Event"),
        Column("created", "Queued", sort=True),
        Column("attempts", "Attempts", optional=True, numeric=True),
        Column("finding", "Last answer", optional=True),
        Column("state", "State"),
    ),
    filters=(Filter("state", "State", STATES), Filter("type", "Event type", _types)),
)
