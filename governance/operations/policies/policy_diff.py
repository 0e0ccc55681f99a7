"""What a version of the policy says, changed; what differs as it is written; and the marks that
bind a decision to it. Pure.

with_tier, with_value, without_value    the content of the next version
carried_over(base, mine, now)           what I changed since `base`, upon what came into force
                                        meanwhile
lines(before, after)                    what differs as written, line by line
digest(base, content)                   of a version; an approval is bound to it
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import rfc8785

from governance.kernel.inbox import lower_first
from governance.operations.policies.effective_policies import Content, Platform
from governance.operations.policies.strictness import (
    DIMENSIONS,
    TIERS,
    Dimension,
    Tier,
    Value,
    plain_all,
)

SHOWN_NAMES = 6


# ---- the next content


def with_tier(content: Content, tier: str) -> Content:
    return replace(content, tier=tier)


def with_value(content: Content, system_id: UUID | None, key: str, value: Value) -> Content:
    """An override of the tenant, or of one system; the one before it goes."""
    if system_id is None:
        return replace(content, overrides={**content.overrides, key: value})
    own = {**content.systems.get(system_id, {}), key: value}
    return replace(content, systems={**content.systems, system_id: own})


def without_value(content: Content, system_id: UUID | None, key: str) -> Content:
    if system_id is None:
        return replace(content, overrides=_less(content.overrides, key))
    return replace(
        content,
        systems={**content.systems, system_id: _less(content.systems.get(system_id, {}), key)},
    )


def written(content: Content, system_id: UUID | None) -> Mapping[str, Value]:
    """The overrides of the tenant, or those of one system."""
    return content.overrides if system_id is None else content.systems.get(system_id, {})


def _less(values: Mapping[str, Value], key: str) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name != key}


def carried_over(base: Content, mine: Content, now: Content) -> Content:
    """Three-way: where `mine` differs from the base that it was drawn up against it stays,
    elsewhere what is in force now holds.
    """
    ids = base.systems.keys() | mine.systems.keys() | now.systems.keys()
    systems = {
        i: _carried(base.systems.get(i, {}), mine.systems.get(i, {}), now.systems.get(i, {}))
        for i in ids
    }
    tier = now.tier if mine.tier == base.tier else mine.tier
    return Content(
        tier,
        _carried(base.overrides, mine.overrides, now.overrides),
        {i: own for i, own in systems.items() if own},
    )


def _carried(
    base: Mapping[str, Value], mine: Mapping[str, Value], now: Mapping[str, Value]
) -> dict[str, Value]:
    chosen = {
        key: now.get(key) if mine.get(key) == base.get(key) else mine.get(key) for key in DIMENSIONS
    }
    return {key: value for key, value in chosen.items() if value is not None}


# ---- what differs, as it is written


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One thing that two contents write differently: the tier, or an override of the tenant or of a
    system. None: not written.
    """

    system_id: UUID | None
    key: str
    before: Value | None
    after: Value | None


def lines(before: Content, after: Content) -> list[SettingChange]:
    """The tier, the tenant's overrides, then those of each system."""
    found = (
        [] if before.tier == after.tier else [SettingChange(None, "tier", before.tier, after.tier)]
    )
    ids = sorted(before.systems.keys() | after.systems.keys(), key=str)
    for system_id in (None, *ids):
        found += _lines(system_id, written(before, system_id), written(after, system_id))
    return found


def _lines(
    system_id: UUID | None, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[SettingChange]:
    for key in DIMENSIONS:
        if before.get(key) != after.get(key):
            yield SettingChange(system_id, key, before.get(key), after.get(key))


def said(value: Value | None) -> str:
    """A value in words: `strict`, `1,200`, `any model`, `no model`, `atlas-2, brook`."""
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return _names(value)
    return f"{value:,}" if isinstance(value, int) else value


def measured(value: Value | None, which: Dimension) -> str:
    """The same with its unit: `90 days`."""
    return f"{said(value)} {which.unit}" if isinstance(value, int) and which.unit else said(value)


def setting_of(key: str, system: str) -> str:
    """As "grounding of ad-copywriter", inside a sentence."""
    return f"{lower_first(DIMENSIONS[key].title if key in DIMENSIONS else key)} of {system}"


def briefly(value: Value | None) -> str:
    """The same where there is little room: several names are counted."""
    return (
        f"{len(value)} models" if isinstance(value, frozenset) and len(value) > 1 else said(value)
    )


def _names(names: frozenset[str]) -> str:
    if not names:
        return "no model"
    if names == {"*"}:
        return "any model"
    return ", ".join(sorted(names)) if len(names) <= SHOWN_NAMES else f"{len(names)} models"


# ---- what a decision is bound to


def digest(base: int, content: Mapping[str, Any]) -> str:
    """SHA-256 of the base's number and the content, as canonical JSON."""
    return _hash({"base": base, "content": content})


def mark(*parts: Any) -> str:
    """A short, exact fingerprint of everything that a person saw when they decided."""
    return _hash([str(part) if isinstance(part, UUID) else part for part in parts])[:24]


def _hash(what: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(what)).hexdigest()


def platform_content(platform: Platform) -> dict[str, Any]:
    """As a version of the operator's layer stores it: only tiers that are not as built in."""
    own = {
        key: _tier_content(tier)
        for key, tier in sorted(platform.tiers.items())
        if TIERS.get(key) != tier
    }
    return {
        "floor": plain_all(platform.floor),
        "tiers": own,
        "unwaivable": sorted(platform.unwaivable),
    }


def _tier_content(tier: Tier) -> dict[str, Any]:
    return {
        "name": tier.name,
        "means": tier.means,
        "values": plain_all(tier.values),
        "four_eyes": tier.four_eyes,
    }
