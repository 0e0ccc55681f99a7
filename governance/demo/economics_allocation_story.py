"""The operator's cost allocation: three versions of its rules, the last by active users.

Finance proposes each version, an operator approves it the next day, and it starts that month.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial

from governance.demo.story import StoryEvent
from governance.economics.allocation import actions, queries
from governance.economics.formulas.allocation import Driver, Pool, Rule
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class DemoRules:
    """A version of the allocation rules, proposed some days ago for a reason."""

    days: int
    drivers: dict[Pool, Driver]
    reason: str


VERSIONS = (
    DemoRules(
        550,
        dict.fromkeys(Pool, Driver.REVENUE),
        "Not every product sends its usage yet. Until they do, revenue is the fairest measure.",
    ),
    DemoRules(
        290,
        dict.fromkeys(Pool, Driver.TOKENS) | {Pool.SUPPORT: Driver.EQUAL},
        "Every product sends its usage now, and tokens are what our machines spend time on.",
    ),
    DemoRules(
        125,
        dict.fromkeys(Pool, Driver.ACTIVE_USERS),
        "Tokens punish long documents. People are what support and guardrails serve.",
    ),
)


def operator(days_ago: Callable[[int], date]) -> list[StoryEvent]:
    """Return the events of finance and an operator, for the operator's tenant."""
    return [
        event
        for each in VERSIONS
        for event in (
            StoryEvent(days_ago(each.days), "finance", partial(_propose, each)),
            StoryEvent(days_ago(each.days - 1), "operator", _approve),
        )
    ]


def _propose(version: DemoRules) -> None:
    actions.propose(
        {pool: Rule(driver) for pool, driver in version.drivers.items()},
        since=Month.of(clock.now().date()),
        base=queries.newest_number(),
        reason=version.reason,
    )


def _approve() -> None:
    row = queries.open_request()
    asked = open_approval(queries.KIND, row.id) if row else None
    if asked is None:
        raise LookupError("no allocation rules await approval")
    approvals.approve(asked, seen=kinds.fingerprint_seen(asked))
