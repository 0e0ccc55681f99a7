"""All that a tenant's effective policies follow from at one instant.

Pure: queries make it, everybody reads it.

Standing.effective(system)     per dimension the value in force, and who decides it
Content.within(systems)         without the overrides of systems that are not there
Standing.draft(content)        the same with another content, for previews and for telling whether
                               it loosens
loosening(before, after)       the changes of the tenant's own layers that loosen something, system
                               by system
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.operations.policies.strictness import (
    DEFAULT_TIER,
    FLOOR,
    RISK,
    TIERS,
    Decided,
    DimensionChange,
    Layer,
    Tier,
    Value,
    WaivedValue,
    changes,
    effective,
    loosens,
    plain_all,
    read_all,
    strictest,
    values,
)

LANE_NAMES = {"standard": "standard lane", "high_risk": "high-risk lane"}


@dataclass(frozen=True, slots=True)
class Governed:
    """An AI system as far as its policy goes."""

    id: UUID
    key: str
    name: str
    lane: str


@dataclass(frozen=True, slots=True)
class LiveWaiver:
    """A waiver that two others agreed to and that has not ended."""

    id: UUID
    system_id: UUID
    key: str
    value: Value
    until: datetime


@dataclass(frozen=True, slots=True)
class Platform:
    """The operator's layer: the floor, every tier that there is, what may not be waived.

    `number` 0: as it is built in.
    """

    number: int = 0
    floor: Mapping[str, Value] = field(default_factory=lambda: FLOOR)
    tiers: Mapping[str, Tier] = field(default_factory=lambda: TIERS)
    unwaivable: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def name(self) -> str:
        return f"floor, version {self.number}" if self.number else "floor"


def read_platform(
    number: int, content: Mapping[str, Any], until: datetime | None = None
) -> Platform:
    """From the JSON of a version; tiers that it does not name are the built-in ones."""
    own = {
        key: Tier(
            key,
            str(tier["name"]),
            str(tier.get("means", "")),
            read_all(tier["values"]),
            bool(tier.get("four_eyes")),
        )
        for key, tier in content.get("tiers", {}).items()
    }
    return Platform(
        number,
        read_all(content.get("floor", {})),
        {**TIERS, **own},
        frozenset(content.get("unwaivable", ())),
        until,
    )


@dataclass(frozen=True, slots=True)
class Content:
    """What a version of the tenant's policy says."""

    tier: str = DEFAULT_TIER
    overrides: Mapping[str, Value] = field(default_factory=dict)
    systems: Mapping[UUID, Mapping[str, Value]] = field(default_factory=dict)

    def within(self, systems: Iterable[Governed]) -> "Content":
        """Without the overrides of other systems: what was retired is governed no more."""
        live = {system.id for system in systems}
        return replace(self, systems={key: own for key, own in self.systems.items() if key in live})

    def plain(self) -> dict[str, Any]:
        """As it is stored; equal contents are equal JSON."""
        systems = {
            str(key): plain_all(given)
            for key, given in sorted(self.systems.items(), key=lambda each: str(each[0]))
            if given
        }
        return {"tier": self.tier, "overrides": plain_all(self.overrides), "systems": systems}


def read_content(raw: Mapping[str, Any]) -> Content:
    systems = {UUID(key): read_all(given) for key, given in raw.get("systems", {}).items()}
    return Content(str(raw.get("tier", DEFAULT_TIER)), read_all(raw.get("overrides", {})), systems)


@dataclass(frozen=True, slots=True)
class EffectivePolicy:
    """One tenant at one instant."""

    platform: Platform
    number: int
    content: Content
    systems: tuple[Governed, ...]
    waivers: tuple[LiveWaiver, ...] = ()
    since: datetime | None = None

    @property
    def tier(self) -> Tier:
        """None is ever taken away; were one gone all the same, what holds is as strict as all that
        are left.
        """
        return self.platform.tiers.get(self.content.tier) or strictest(
            self.content.tier, self.platform.tiers.values()
        )

    def own_layers(self, system: Governed | None = None) -> list[Layer]:
        """What the tenant demands by itself: tier, overrides, the lane of the system, its own
        overrides.
        """
        layers = [Layer("tier", f"tier {self.tier.name.lower()}", self.tier.values)]
        if self.content.overrides:
            layers.append(Layer("override", "tenant override", self.content.overrides))
        if system is not None and RISK.get(system.lane):
            layers.append(Layer("risk", LANE_NAMES[system.lane], RISK[system.lane]))
        if system is not None and self.content.systems.get(system.id):
            layers.append(
                Layer("system", f"override of {system.key}", self.content.systems[system.id])
            )
        return layers

    def effective(self, system: Governed | None = None) -> dict[str, Decided]:
        """Floor and all. Without a system: what holds for requests that name none."""
        return effective(
            [Layer("floor", self.platform.name, self.platform.floor), *self.own_layers(system)],
            self._waived(system),
        )

    def _waived(self, system: Governed | None) -> list[WaivedValue]:
        if system is None:
            return []
        mine = (
            w
            for w in self.waivers
            if w.system_id == system.id and w.key not in self.platform.unwaivable
        )
        return [WaivedValue(w.key, w.value, w.until) for w in mine]

    def own(self, system: Governed | None = None) -> dict[str, Value]:
        """The strictest of the tenant's own layers, as if there were no floor."""
        return values(effective(self.own_layers(system)))

    def draft(self, content: Content) -> "EffectivePolicy":
        return replace(self, content=content)

    def differs(self, system: Governed) -> bool:
        """Whether anything is demanded of this system that is not demanded of all."""
        has_own = bool(RISK.get(system.lane)) or bool(self.content.systems.get(system.id))
        return has_own or any(w.system_id == system.id for w in self.waivers)

    def next_change(self, now: datetime) -> datetime | None:
        """When this becomes another one by time alone: a waiver or a loosened floor ends."""
        ends = [w.until for w in self.waivers if w.until > now] + [
            t for t in (self.platform.until,) if t and t > now
        ]
        return min(ends, default=None)


type Scope = Governed | None


def scopes(standing: EffectivePolicy) -> Sequence[Scope]:
    """Requests that name no system, then each system."""
    return (None, *standing.systems)


def moves(
    before: EffectivePolicy, after: EffectivePolicy
) -> dict[UUID | None, list[DimensionChange]]:
    """What the effective policy does, by system (None: requests that name none)."""
    return {
        s.id if s else None: changes(values(before.effective(s)), values(after.effective(s)))
        for s in scopes(before)
    }


def loosening(
    before: EffectivePolicy, after: EffectivePolicy
) -> dict[UUID | None, list[DimensionChange]]:
    """Where the tenant's own layers loosen.

    What the floor hides today counts too: tomorrow's floor may not.
    """
    found = {s.id if s else None: changes(before.own(s), after.own(s)) for s in scopes(before)}
    return {
        key: bad for key, all_ in found.items() if (bad := [c for c in all_ if loosens(c.move)])
    }
