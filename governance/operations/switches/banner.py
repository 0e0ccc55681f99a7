"""The stop banner of every page, and the number of stops per AI system.

Runs one statement while anything is stopped, since consumers obey without an entry in the log.
While nothing is stopped, runs none until a fact changes.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from governance.foundation.logbook.log_health import recall
from governance.foundation.people import permissions as people
from governance.foundation.people.models import ERASED, ERASED_NAME
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.formatting import ago
from governance.kernel.safety.access import allowed

# The comment in the statement shows tests that it isn't the page's own (tests/conftest.py).
ACTIVE_STOPS = text("""
/* the shell: what is stopped */
SELECT s.id, s.scope, s.created_at, s.drill_id IS NOT NULL AS is_drill, y.key AS system, f.key AS feature,
       CASE WHEN m.via = :erased THEN :gone ELSE p.name END AS who, s.reason, jsonb_array_length(s.expected) AS expected,
       (SELECT count(*) FROM jsonb_array_elements_text(s.expected) AS e
        JOIN acknowledgements a ON a.tenant_id = s.tenant_id AND a.stop_id = s.id AND a.consumer_id = e::uuid) AS obeyed
FROM stops s
LEFT JOIN ai_systems y ON y.tenant_id = s.tenant_id AND y.id = s.system_id
LEFT JOIN system_features f ON f.tenant_id = s.tenant_id AND f.id = s.feature_id
LEFT JOIN memberships m ON m.tenant_id = s.tenant_id AND m.person_id = s.stopped_by
LEFT JOIN people p ON p.id = m.person_id
WHERE s.restarted_at IS NULL
UNION ALL
SELECT id, 'platform', created_at, false, NULL, NULL, NULL, reason, 0, 0 FROM platform_stops WHERE restarted_at IS NULL
ORDER BY created_at DESC
""")


@dataclass(frozen=True, slots=True)
class BannerStop:
    """One active stop, as the banner shows it."""

    id: UUID
    scope: str
    since: datetime
    is_drill: bool
    system: str | None
    feature: str | None
    who: str | None
    reason: str
    expected: int
    obeyed: int

    @property
    def name(self) -> str:
        if self.scope == "platform":
            return "Everything, for every tenant"
        return " · ".join(filter(None, (self.system, self.feature))) or "Everything"

    @property
    def text(self) -> str:
        by = (
            "by the operator"
            if self.scope == "platform"
            else "a drill"
            if self.is_drill
            else f"by {self.who}"
            if self.who
            else ""
        )
        why = f": {shortened(self.reason)}" if self.reason and not self.is_drill else ""
        first = (
            ", ".join(filter(None, (f"for {ago(self.since).removesuffix(' ago')}", by))) + f"{why}."
        )
        if not self.expected:
            return first
        return (
            f"{first} Obeyed by {self.obeyed} of {self.expected}"
            f" consumer{'' if self.expected == 1 else 's'}."
        )


def shortened(reason: str, max_length: int = 110) -> str:
    """Return the reason on one line, without its full stop."""
    line = " ".join(reason.split()).rstrip(".")
    return line if len(line) <= max_length else line[:max_length].rsplit(" ", 1)[0] + "…"


@dataclass(frozen=True, slots=True)
class BannerStops:
    """All active stops that cover the acting tenant, newest first."""

    stops: tuple[BannerStop, ...] = ()

    @property
    def systems(self) -> Mapping[str, int]:
        """The number of active stops within each system."""
        return Counter(s.system for s in self.stops if s.system)

    def banner(self, *, operator: bool) -> dict[str, Any] | None:
        """Return the banner: the operator's stop first, drills last."""
        ranked = sorted(self.stops, key=lambda s: (s.is_drill, s.scope != "platform"))
        if not ranked:
            return None
        first, more = ranked[0], len(ranked) - 1
        word = "Drill" if first.is_drill else "Stopped"
        lead = first.name + (f", and {more} more" if more else "")
        return {
            "kind": "stop",
            "word": word,
            "lead": lead,
            "text": first.text,
            **_link(first, more, operator=operator),
        }


def _link(first: BannerStop, more: int, *, operator: bool) -> dict[str, Any]:
    """Return the endpoint and values of the page to open."""
    if operator:
        return {"to": ("operator_switches.switch", {}), "link": "View stop"}
    if more or first.scope == "platform":
        return {"to": ("switches.index", {}), "link": "View switches"}
    if first.system is None:
        return {"to": ("switches.stop", {"stop_id": first.id}), "link": "View stop"}
    return {"to": ("switches.system", {"system_key": first.system}), "link": "View stop"}


def active_stops() -> BannerStops:
    read: list[list[Any]] = []

    def is_any() -> bool:
        read.append(_rows())
        return bool(read[0])

    if not recall("whether anything is stopped", is_any):
        return BannerStops()
    rows = read[0] if read else _rows()
    named = allowed(people.NAMES)
    return (
        BannerStops(
            tuple(
                BannerStop(
                    r.id,
                    r.scope,
                    r.created_at,
                    r.is_drill,
                    r.system,
                    r.feature,
                    r.who if named else None,
                    r.reason if named else "",
                    r.expected,
                    r.obeyed,
                )
                for r in rows
            )
        )
        if current.actor_or_none()
        else BannerStops()
    )


def _rows() -> list[Any]:
    return list(session().execute(ACTIVE_STOPS, {"erased": ERASED, "gone": ERASED_NAME}))
