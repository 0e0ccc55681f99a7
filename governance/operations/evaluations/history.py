"""The history of an object as lines of a timeline."""

from typing import Any
from uuid import UUID

from governance.foundation.people import queries as people


def lines(object_id: UUID) -> list[dict[str, Any]]:
    """Return the newest lines first, as c.timeline takes them."""
    return [
        {
            "kind": moment.shape,
            "text": f"{moment.who} {moment.says}",
            "meta": moment.reason,
            "at": moment.at,
        }
        for moment in people.timeline([object_id])
    ]
