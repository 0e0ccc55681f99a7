"""Changes of a policy's content: the next content, differences, and digests. Pure.

with_tier, with_value and without_value return the content of the next version; carried_over(base,
mine, now) puts my changes since `base` on top of the published policy; lines(before, after) returns
the settings that differ; digest(base, content) returns the digest of a version, which an approval
binds to.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import rfc8785

from governance.operations.policies.dimensions import DIMENSIONS, Value, plain_all
from governance.operations.policies.effective_policies import Content, Platform
from governance.operations.policies.tiers import TIERS, Tier

NOTHING_CHANGES = "Nothing changes. These values apply already."


# ---- the next content


def with_tier(content: Content, tier: str) -> Content:
    return replace(content, tier=tier)


def with_value(content: Content, system_id: UUID | None, key: str, value: Value) -> Content:
    """Return the content with this override for the tenant or a system, replacing another one."""
    if system_id is None:
        return replace(content, overrides={**content.overrides, key: value})
    own = {**content.systems.get(system_id, {}), key: value}
    return replace(content, systems={**content.systems, system_id: own})


def without_value(content: Content, system_id: UUID | None, key: str) -> Content:
    if system_id is None:
        return replace(content, overrides=_without(content.overrides, key))
    return replace(
        content,
        systems={**content.systems, system_id: _without(content.systems.get(system_id, {}), key)},
    )


def written(content: Content, system_id: UUID | None) -> Mapping[str, Value]:
    """Return the overrides of the tenant, or those of one system."""
    return content.overrides if system_id is None else content.systems.get(system_id, {})


def _without(values: Mapping[str, Value], key: str) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name != key}


def carried_over(base: Content, mine: Content, now: Content) -> Content:
    """Merge three ways: keep the changes of `mine` since `base`, take the rest from `now`."""
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


# ---- differences


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that two contents define differently.

    It is the tier, or an override for the tenant or for one system. None: not set.
    """

    system_id: UUID | None
    key: str
    before: Value | None
    after: Value | None


def lines(before: Content, after: Content) -> list[SettingChange]:
    """Return the differences: the tier, the tenant's overrides, then those of each system."""
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


# ---- digests


def digest(base: int, content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the base's number and the content, as canonical JSON (RFC 8785)."""
    return _hash({"base": base, "content": content})


def fingerprint(*parts: Any) -> str:
    """Return a short digest of everything that a person saw for their decision."""
    return _hash([str(part) if isinstance(part, UUID) else part for part in parts])[:24]


def _hash(content: Any) -> str:
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()


def platform_content(platform: Platform) -> dict[str, Any]:
    """Return the operator's layer as stored: only tiers that differ from the built-in ones."""
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
