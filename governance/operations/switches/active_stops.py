"""What is stopped, as every answer needs to know it. Pure.

ActiveStop        one active stop: its scope, its planes, why
covering(stops)   those that cover a system, or a feature of it
Live              the two planes of a scope: whether it may generate, and serve
planes(…)         the planes of a stop, in words
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ActiveStop:
    """A stop that is active.

    `scope` is platform, tenant, system or feature; the narrower two name their system.
    """

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
        """Whether it stops this system (None: requests that name none), or this feature of it."""
        if self.scope in {"platform", "tenant"}:
            return True
        if self.system_id != system_id:
            return False
        return self.scope == "system" or (feature_id is not None and self.feature_id == feature_id)


@dataclass(frozen=True, slots=True)
class Live:
    """Whether a scope may make new model calls, and whether it may serve stored answers."""

    generate: bool
    serve: bool

    @property
    def whole(self) -> bool:
        return self.generate and self.serve

    @property
    def stopped(self) -> bool:
        """On both planes: every flag of the scope answers that it is stopped."""
        return not self.generate and not self.serve


def covering(
    stops: Iterable[ActiveStop], system_id: UUID | None, feature_id: UUID | None = None
) -> list[ActiveStop]:
    return [stop for stop in stops if stop.covers(system_id, feature_id)]


def live(stops: Iterable[ActiveStop]) -> Live:
    """What several stops leave: a plane is live when none of them stops it."""
    each = list(stops)
    return Live(not any(s.generate for s in each), not any(s.serve for s in each))


def planes(*, generate: bool, serve: bool) -> str:
    """What a stop of these planes means, in words."""
    return ", ".join(
        text for text, on in (("no new model calls", generate), ("no cached answers", serve)) if on
    )
