"""Active stops, for every answer of the decision API. Pure.

ActiveStop        one active stop: its scope, its planes, its reason
covering(stops)   the stops that cover a system or a feature
Live              a scope's permission to generate and to serve
news_of(stop)     a stop for the notification of workers at its commit, without its reason
after(…)          the stops after a notification
planes(…)         the planes of a stop, in words
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

MAX_TOLD = 100  # Ids in one notification, which has room for 8,000 bytes


@dataclass(frozen=True, slots=True)
class ActiveStop:
    """An active stop. `scope` is platform, tenant, system or feature."""

    id: UUID
    scope: str
    system_id: UUID | None
    feature_id: UUID | None
    generate: bool
    serve: bool
    reason: str
    version: int
    since: datetime
    is_drill: bool = False

    def covers(self, system_id: UUID | None, feature_id: UUID | None = None) -> bool:
        """Return True if it stops this system (None: requests without one), or this feature."""
        if self.scope in {"platform", "tenant"}:
            return True
        if self.system_id != system_id:
            return False
        return self.scope == "system" or (feature_id is not None and self.feature_id == feature_id)


@dataclass(frozen=True, slots=True)
class Live:
    """The permission of a scope to make new model calls, and to serve stored answers."""

    generate: bool
    serve: bool

    @property
    def whole(self) -> bool:
        return self.generate and self.serve

    @property
    def stopped(self) -> bool:
        """True if it is stopped on both planes."""
        return not self.generate and not self.serve


def covering(
    stops: Iterable[ActiveStop], system_id: UUID | None, feature_id: UUID | None = None
) -> list[ActiveStop]:
    return [stop for stop in stops if stop.covers(system_id, feature_id)]


def live(stops: Iterable[ActiveStop]) -> Live:
    """Return the planes that no stop covers."""
    known = list(stops)
    return Live(not any(s.generate for s in known), not any(s.serve for s in known))


def news_of(stop: ActiveStop) -> dict[str, Any]:
    """Return a stop without its reason, for the notification of its commit."""
    told = {
        "id": stop.id,
        "scope": stop.scope,
        "system_id": stop.system_id,
        "feature_id": stop.feature_id,
        "generate": stop.generate,
        "serve": stop.serve,
        "since": stop.since.isoformat(),
        "is_drill": stop.is_drill,
    }
    return {"stop": told}


def news_of_restart(stop_ids: Iterable[UUID]) -> dict[str, Any] | None:
    """Return the ids of ended stops, or None if they are too many for a notification."""
    ids = [str(each) for each in stop_ids]
    return {"restarted": ids} if len(ids) <= MAX_TOLD else None


def after(stops: tuple[ActiveStop, ...], news: Mapping[str, Any]) -> tuple[ActiveStop, ...]:
    """Return the stops after a notification.

    Raises KeyError, TypeError or ValueError if the notification is malformed. A stop that ended
    never begins again, so it can be left out whatever else is known.
    """
    ended = {UUID(each) for each in news.get("restarted", ())}
    left = tuple(stop for stop in stops if stop.id not in ended)
    if (told := news.get("stop")) is None or any(stop.id == UUID(told["id"]) for stop in left):
        return left
    system_id, feature_id = told["system_id"], told["feature_id"]
    new = ActiveStop(
        UUID(told["id"]),
        told["scope"],
        UUID(system_id) if system_id else None,
        UUID(feature_id) if feature_id else None,
        generate=told["generate"],
        serve=told["serve"],
        reason="",
        version=news["number"],
        since=datetime.fromisoformat(told["since"]),
        is_drill=told["is_drill"],
    )
    return (*left, new)


def planes(*, generate: bool, serve: bool) -> str:
    """Describe the effect of a stop of these planes."""
    return ", ".join(
        text for text, on in (("no new model calls", generate), ("no cached answers", serve)) if on
    )
