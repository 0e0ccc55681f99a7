"""Fourteen days of decision requests by the demo's AI products, hour by hour.

The counts are added as the workers of the decision API would have reported them.
"""

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.operations.decision_counts import actions as decisions
from governance.operations.decision_counts.actions import Counted
from governance.operations.policies import queries as policies
from governance.operations.policies.dimensions import plain
from governance.operations.policies.effective_policies import EffectivePolicy, Governed

SEED, DAYS = 2026, 14
A_DAY = {"claims-triage": 9_600, "support-assistant": 6_200, "ad-copywriter": 720}  # requests
SHARES = {
    "policy.grounding": 0.4,
    "policy.human_review": 0.25,
    "policy.content_filter": 0.2,
    "policy.tool_use": 0.1,
    "policy.max_output_tokens": 0.05,
}
FEATURES = {"claims-triage": {"auto-approve": 0.3, "summarise": 0.55, "sort-queue": 0.15}}
BY_HOUR = (1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 9, 10, 11, 10, 8, 6, 4, 3, 2, 2, 1, 1)


def tell(who: Actor) -> None:
    """Add the counts in one transaction. Answers of a day follow the policy at the end of that day."""
    chance = random.Random(SEED)  # noqa: S311 - a story, not a secret
    this_hour = clock.now().replace(minute=0, second=0, microsecond=0)
    with current.acting_as(who), transaction():
        for day in range(DAYS, -1, -1):
            counted: Counter[tuple[datetime, str, str, str]] = Counter()
            policy = policies.current_policy(this_hour - timedelta(days=day))
            answers = {
                (system.key, flag): _answer(policy, system, flag)
                for system in policy.systems
                for flag in _flags(system)
            }
            for hours in range(24):
                hour = this_hour - timedelta(days=day, hours=23 - hours)
                if hour < this_hour:
                    counted.update(_hour(hour, policy, answers, chance))
            decisions.add(counted)


def _hour(
    hour: datetime,
    policy: EffectivePolicy,
    answers: Mapping[tuple[str, str], str],
    chance: random.Random,
) -> Counted:
    found: dict[tuple[datetime, str, str, str], int] = {}
    weekend = 0.35 if hour.weekday() > 4 else 1  # noqa: PLR2004 - Saturday and Sunday
    for system in policy.systems:
        asked = (
            A_DAY.get(system.key, 0)
            * BY_HOUR[hour.hour]
            / sum(BY_HOUR)
            * weekend
            * chance.uniform(0.85, 1.15)
        )
        for flag, share in _flags(system).items():
            found[hour, system.key, flag, answers[system.key, flag]] = int(asked * share)
    return {key: count for key, count in found.items() if count}


def _flags(system: Governed) -> dict[str, float]:
    features = FEATURES.get(system.key, {})
    return {
        **SHARES,
        f"switch.{system.key}": 0.2,
        **{f"switch.{system.key}.{name}": share for name, share in features.items()},
    }


def _answer(policy: EffectivePolicy, system: Governed, flag: str) -> str:
    if flag.startswith("switch."):
        return "live"
    return str(plain(policy.effective(system)[flag.removeprefix("policy.")].value))
