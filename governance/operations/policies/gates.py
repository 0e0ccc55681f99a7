"""The gate of rollouts on the policy tier of the tenant."""

from collections.abc import Iterator, Mapping

from governance.operations.gates.gates import Gate, GateReading, GateSubject
from governance.operations.policies import queries
from governance.operations.policies.strictness import changes, loosens
from governance.operations.policies.tiers import DEFAULT_TIER, Tier


def looser_than_default(tiers: Mapping[str, Tier], tier: str) -> bool:
    """Return True if a tier is looser than the default one in any setting.

    An unknown tier counts as the strictest.
    """
    if tier not in tiers:
        return False
    return any(
        loosens(each.move) for each in changes(tiers[DEFAULT_TIER].values, tiers[tier].values)
    )


def _tier(_subject: GateSubject) -> Iterator[GateReading]:
    policy = queries.current_policy()
    least = policy.platform.tiers[DEFAULT_TIER]
    looser = looser_than_default(policy.platform.tiers, policy.content.tier)
    yield GateReading(
        name="Policy tier",
        verdict="fail" if looser else "pass",
        needs=f"{least.name} or stricter",
        figure=policy.tier.name,
        detail=f"version {policy.number}" if policy.number else "no version published",
        link=("policies.index", {}),
    )


TIER = Gate(key="policy_tier", kind="condition", topic="policy", read=_tier)
