"""Active stops, as every answer of the decision API needs them. Pure.

ActiveStop        one active stop: its scope, its planes, its reason
covering(stops)   the stops that cover a system or a feature
Live              whether a scope may generate, and serve
planes(…)         the planes of a stop, in words
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


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
        """Return whether it stops this system (None: requests without one), or this feature."""
        if self.scope in {"platform", "tenant"}:
            return True
        if self.system_id != system_id:
            return False
        return self.scope == "system" or (feature_id is not None and self.feature_id == feature_id)


@dataclass(frozen=True, slots=True)
class Live:
    """Whether a scope may make new model calls, and serve stored answers."""

    generate: bool
    serve: bool

    @property
    def whole(self) -> bool:
        return self.generate and self.serve

    @property
    def stopped(self) -> bool:
        """Whether it is stopped on both planes."""
        return not self.generate and not self.serve


def covering(
    stops: Iterable[ActiveStop], system_id: UUID | None, feature_id: UUID | None = None
) -> list[ActiveStop]:
    return [stop for stop in stops if stop.covers(system_id, feature_id)]


def live(stops: Iterable[ActiveStop]) -> Live:
    """Return the planes that none of the stops stops."""
    known = list(stops)
    return Live(not any(s.generate for s in known), not any(s.serve for s in known))


def planes(*, generate: bool, serve: bool) -> str:
    """Return what a stop of these planes means, in words."""
    return ", ".join(
        text for text, on in (("no new model calls", generate), ("no cached answers", serve)) if on
    )
