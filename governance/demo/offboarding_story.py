"""A customer that left: Quayside Ferries tried Meridian, was suspended, and is deleted today.

Its waiting period ends today. The certificate is on its page for operators.
"""

from governance.app import schedule
from governance.demo.cast import Cast, acting_on, days_ago, moment_of
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.suspension_actions import suspend
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.operations.systems import actions as systems
from governance.publishing.tenant_offboarding import actions, jobs

SLUG, NAME = "quayside", "Quayside Ferries"
JOINED, SUSPENDED, REQUESTED = 120, 30, 20  # days ago


def tell(operator: Cast) -> None:
    """Play the decisions of two operators.

    The deletion is queued, and the demo's last round runs it.
    """
    with clock.frozen(moment_of(days_ago(JOINED), 8)):
        made = tenants.create_tenant(SLUG, NAME)
    inside = system_actor_in(made.id, SLUG, NAME)
    with acting_on(inside, days_ago(JOINED - 1)), transaction():
        systems.register(
            key="crossing-planner",
            stage="live",
            name="crossing-planner",
            lane="standard",
            purpose="Proposes crossings to travel agents.",
            owner_id=None,
        )
    eva, noor = operator("operator"), operator("noor")
    with acting_on(eva, days_ago(SUSPENDED)), transaction():
        suspend(_tenant(), reason="The trial ended and wasn't extended.")
    with acting_on(eva, days_ago(REQUESTED), 9), transaction():
        row, _asked = actions.request(
            _tenant(),
            typed=NAME,
            reason="Quayside asked for it after its trial, ticket 4655.",
            without_export=True,
        )
        offboarding_id = row.id
    with acting_on(noor, days_ago(REQUESTED), 14), transaction():
        found = open_approval(actions.KIND, offboarding_id)
        if found is None:
            raise LookupError(offboarding_id)
        approvals.approve(found, seen=kinds.fingerprint_seen(found), typed=NAME)
    schedule.sequence_log(made.id, SLUG, NAME)
    jobs.start_due()


def _tenant() -> Tenant:
    found = any_tenant_by_slug(SLUG)
    if found is None:
        raise LookupError(SLUG)
    return found
