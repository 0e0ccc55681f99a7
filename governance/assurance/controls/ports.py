"""What controls ask of features that they don't import: problems that lower a status.

Each answer is a select of `kind` (of runtime_dependencies.ProblemKind), `id` (of the alert or
incident), `ref`, `about`, `since` and `until`: from when it was due until it was done, NULL while it
isn't. It reads the present tenant.

    service_level_problems    alerts that nobody answered within a day
    incident_problems         reviews and follow-ups that are late
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Uuid, cast, literal, null, select
from sqlalchemy.types import DateTime, String

from governance.kernel.ports import Port

type Problems = Callable[[], Any]


def _none() -> Any:
    """No rows, with the columns that an answer has."""
    instant = cast(null(), DateTime(timezone=True))
    nothing: Any = select(
        literal("", String()).label("kind"),
        cast(null(), Uuid()).label("id"),
        literal("", String()).label("ref"),
        literal("", String()).label("about"),
        instant.label("since"),
        instant.label("until"),
    ).where(literal(value=False))
    return nothing


service_level_problems: Port[Problems] = Port("alerts without an answer", default=_none)
incident_problems: Port[Problems] = Port("late follow-up of incidents", default=_none)
