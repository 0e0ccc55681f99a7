"""The error budget of claims-triage's grounding. Its cases are counted from each weekly run.

It was exhausted a week ago, so Meridian tightened the policy to strict. Two people reverted
that, because only the approvals of claims-triage needed it.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from governance.demo.cast import Cast
from governance.demo.story import StoryStep
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.operations.alerts import actions as alerts
from governance.operations.alerts import budgets
from governance.operations.measurements import actions as indicators
from governance.operations.measurements import evaluation_feeds
from governance.operations.objectives import actions as objectives
from governance.operations.objectives import queries as promised
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as standing_policy
from governance.operations.policies.policy_diff import with_tier
from governance.operations.systems import queries as systems

INDICATOR, OBJECTIVE = "claims-triage-grounded-cases", "claims-triage · Grounded cases"
COUNTED = "claims-grounding/hallucination"
TARGET = Decimal("0.985")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
REASON = (
    "Only claims-triage misses its limit. Its approvals go to adjusters until the release is fixed,"
    " so the other systems return to standard"
)


def steps(cast: Cast, start: datetime, gone: datetime) -> list[StoryStep]:
    """Return the steps. `start` follows the suite's publication, `gone` the run of a week ago."""
    return [
        StoryStep(start + HOUR, partial(_promise, cast)),
        StoryStep(gone + 40 * MINUTE, partial(_check, cast)),
        StoryStep(gone + 4 * HOUR, partial(_ask, cast)),
        StoryStep(gone + 22 * HOUR, partial(_approve, cast)),
    ]


def _promise(cast: Cast) -> None:
    """Define the indicator and the objective as the officer, with strict as its response."""
    with current.acting_as(cast("officer")), transaction():
        indicator = indicators.define(
            key=INDICATOR,
            name="claims-triage grounded cases",
            system_id=systems.system("claims-triage").id,
            feature="auto-approve",
            kind="ratio",
            unit="cases",
        )
        evaluation_feeds.feed(indicator, COUNTED)
        objective = objectives.create(
            name=OBJECTIVE,
            indicator_id=indicator.id,
            target=TARGET,
            owner_id=cast.id("jun"),
            minimum_coverage=Decimal(0),
            rules=[],  # A weekly run can't be a burst, and the finding of a run notifies people.
            is_ai=True,
        )
        alerts.set_response(objective, "strict")


def _check(cast: Cast) -> None:
    """Check the objective's budget, as the hourly job does."""
    who = cast("officer")
    meridian = system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)
    with current.acting_as(meridian), transaction():
        [found] = [each for each in promised.active_objectives() if each.name == OBJECTIVE]
        budgets.check_some([found.id], clock.now())


def _ask(cast: Cast) -> None:
    with current.acting_as(cast("admin")), transaction():
        now = standing_policy.current_policy()
        policies.request_approval(with_tier(now.content, "standard"), seen="", reason=REASON)


def _approve(cast: Cast) -> None:
    with current.acting_as(cast("officer")), transaction():
        row = standing_policy.draft()
        approval = open_approval(standing_policy.POLICY, row.id) if row else None
        if approval is None:
            raise LookupError("no policy awaits approval")
        approvals.approve(approval, seen=kinds.fingerprint_seen(approval))
