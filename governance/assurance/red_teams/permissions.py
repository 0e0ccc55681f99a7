"""Permissions to view, plan, run and finish red teams, and to fix and close findings.

Viewers have none, because a finding describes how to break a live system.
"""

from typing import Any

from governance.assurance.engagements import queries as engagements
from governance.kernel import clock
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition


def _is_tester_sql(who: Any, model: Any) -> Any:
    return model.engagement_id.in_(engagements.open_engagement_ids_of(who.person_id, clock.now()))


@condition(
    "they are a tester of the red team and its engagement is open",
    "You aren't a tester of {object.ref}. Only its testers{others} can {means}.",
    sql=_is_tester_sql,
)
def is_tester(who: Any, thing: Any) -> Any:
    """Check whether the person is an auditor of the third party's open engagement."""
    return who.person_id is not None and any(
        each.id == thing.engagement_id for each in engagements.open_engagements_of(who.person_id)
    )


VIEW = permission(
    "red_teams.view",
    "view red teams and their findings",
    roles="admin compliance_officer contributor auditor",
)
PLAN = permission(
    "red_teams.plan",
    "plan red teams and their scenarios, finish and cancel them",
    roles="admin compliance_officer",
)
ATTACK = permission(
    "red_teams.attack",
    "record attempts of a red team, report findings and link their evidence",
    roles="admin compliance_officer contributor auditor",
    only={"auditor": [is_tester]},
)
FIX = permission(
    "red_teams.fix",
    "pin regression cases, link evaluation runs and mark findings of red teams as fixed",
    roles="admin compliance_officer contributor",
)
DECIDE = permission(
    "red_teams.decide",
    "confirm, reject and close findings of red teams",
    roles="admin compliance_officer",
)
