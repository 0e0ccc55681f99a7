"""A tenant's policy at one instant, and the effective policy of each AI system. Pure.

EffectivePolicy.effective(system)   per dimension the value in force, and the deciding layers
EffectivePolicy.draft(content)      the same with another content, for previews
Content.within(systems)             the content without overrides of other systems
loosening(before, after)            loosening changes of the tenant's own layers, by system
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.operations.policies.dimensions import Value, plain_all, read_all
from governance.operations.policies.strictness import (
    Decided,
    DimensionChange,
    Layer,
    WaivedValue,
    changes,
    effective,
    loosens,
    values,
)
from governance.operations.policies.tiers import DEFAULT_TIER, FLOOR, RISK, TIERS, Tier, strictest

LANE_NAMES = {"standard": "standard lane", "high_risk": "high-risk lane"}  # Names in the API
RISK_CLASS_LABELS = {"standard": "Standard risk class", "high_risk": "High risk class"}


@dataclass(frozen=True, slots=True)
class Governed:
    """An AI system with the data that its policy needs."""

    id: UUID
    key: str
    name: str
    lane: str


@dataclass(frozen=True, slots=True)
class LiveWaiver:
    """A waiver that two people approved and that hasn't ended."""

    id: UUID
    system_id: UUID
    key: str
    value: Value
    until: datetime


@dataclass(frozen=True, slots=True)
class Platform:
    """The operator's layer: the platform minimum, every tier, and what can't be waived.

    Version `number` 0 is the built-in one.
    """

    number: int = 0
    floor: Mapping[str, Value] = field(default_factory=lambda: FLOOR)
    tiers: Mapping[str, Tier] = field(default_factory=lambda: TIERS)
    unwaivable: frozenset[str] = frozenset()
    until: datetime | None = None

    @property
    def layer(self) -> Layer:
        """The platform minimum as a layer."""
        of = f", version {self.number}" if self.number else ""
        return Layer("floor", f"floor{of}", self.floor, f"Platform minimum{of}")


def read_platform(
    number: int, content: Mapping[str, Any], until: datetime | None = None
) -> Platform:
    """Read the JSON of a version. Tiers that it doesn't name are the built-in ones."""
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
    """The content of a version of the tenant's policy."""

    tier: str = DEFAULT_TIER
    overrides: Mapping[str, Value] = field(default_factory=dict)
    systems: Mapping[UUID, Mapping[str, Value]] = field(default_factory=dict)

    def within(self, systems: Iterable[Governed]) -> "Content":
        """Return the content without overrides of other systems, such as retired ones."""
        live = {system.id for system in systems}
        return replace(self, systems={key: own for key, own in self.systems.items() if key in live})

    def plain(self) -> dict[str, Any]:
        """Return the content as stored. Equal contents give equal JSON."""
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
    """The policy of one tenant at one instant."""

    platform: Platform
    number: int
    content: Content
    systems: tuple[Governed, ...]
    waivers: tuple[LiveWaiver, ...] = ()
    since: datetime | None = None

    @property
    def tier(self) -> Tier:
        """The tenant's tier.

        Tiers are never removed. If one were missing, the strictest of all would apply.
        """
        return self.platform.tiers.get(self.content.tier) or strictest(
            self.content.tier, self.platform.tiers.values()
        )

    def own_layers(self, system: Governed | None = None) -> list[Layer]:
        """Return the tenant's layers: tier, overrides, the system's risk class, its overrides."""
        name = self.tier.name
        layers = [Layer("tier", f"tier {name.lower()}", self.tier.values, f"{name} tier")]
        if self.content.overrides:
            layers.append(
                Layer("override", "tenant override", self.content.overrides, "Tenant override")
            )
        if system is not None and RISK.get(system.lane):
            risk_class = RISK_CLASS_LABELS[system.lane]
            layers.append(Layer("risk", LANE_NAMES[system.lane], RISK[system.lane], risk_class))
        if system is not None and self.content.systems.get(system.id):
            own = self.content.systems[system.id]
            layers.append(
                Layer("system", f"override of {system.key}", own, f"Override for {system.key}")
            )
        return layers

    def effective(self, system: Governed | None = None) -> dict[str, Decided]:
        """Return the value in force of each dimension, all layers included.

        Without a system, it is for requests that name none.
        """
        return effective([self.platform.layer, *self.own_layers(system)], self._waived(system))

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
        """Return the strictest of the tenant's own layers, without the platform minimum."""
        return values(effective(self.own_layers(system)))

    def draft(self, content: Content) -> "EffectivePolicy":
        return replace(self, content=content)

    def differs(self, system: Governed) -> bool:
        """Return True if this system has its own layer."""
        has_own = bool(RISK.get(system.lane)) or bool(self.content.systems.get(system.id))
        return has_own or any(w.system_id == system.id for w in self.waivers)

    def next_change(self, now: datetime) -> datetime | None:
        """Return when a waiver or a looser minimum ends, which changes this policy."""
        ends = [w.until for w in self.waivers if w.until > now] + [
            t for t in (self.platform.until,) if t and t > now
        ]
        return min(ends, default=None)


type Scope = Governed | None


def scopes(policy: EffectivePolicy) -> Sequence[Scope]:
    """Return None, for requests that name no system, then each system."""
    return (None, *policy.systems)


def moves(
    before: EffectivePolicy, after: EffectivePolicy
) -> dict[UUID | None, list[DimensionChange]]:
    """Return the changes of the effective policy, by system (None: requests without one)."""
    return {
        s.id if s else None: changes(values(before.effective(s)), values(after.effective(s)))
        for s in scopes(before)
    }


def loosening(
    before: EffectivePolicy, after: EffectivePolicy
) -> dict[UUID | None, list[DimensionChange]]:
    """Return the loosening changes of the tenant's own layers.

    Changes that the platform minimum hides today count too, since tomorrow's minimum may not.
    """
    found = {s.id if s else None: changes(before.own(s), after.own(s)) for s in scopes(before)}
    return {
        key: bad for key, all_ in found.items() if (bad := [c for c in all_ if loosens(c.move)])
    }
