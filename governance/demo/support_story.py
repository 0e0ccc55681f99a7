"""An operator who was in Acme once because its admin agreed, and who asks again today."""

from dataclasses import replace

from governance.demo.cast import ADDRESSES, Cast, acting_on, days_ago, moment_of
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.support_access import actions, queries
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction

VISITED = 20  # days ago


def tell(operator: Cast, acme: Cast) -> None:
    """A visit that was approved and ended early, then a request that awaits an admin."""
    eva = replace(operator("operator"), email=ADDRESSES["operator"].format("console"))
    day = days_ago(VISITED)
    with clock.frozen(moment_of(day, 9)):
        _ask(eva, "evidence", "Ticket 4711: two uploads can't be previewed")
    with acting_on(acme("admin"), day, 11), transaction():
        _approve()
    with clock.frozen(moment_of(day, 12)), current.acting_as(eva), transaction():
        tenant = any_tenant_by_slug(acme.slug)
        if tenant is None:
            raise LookupError(acme.slug)
        with current.acting_as(acme("admin")), transaction(read_only=True):
            visited = queries.newest(limit=1)[0].id
        actions.end_by_operator(tenant, visited)
    _ask(eva, "", "Ticket 4790: the coverage of MEASURE 2.7 looks wrong")


def _ask(eva: Actor, feature: str, reason: str) -> None:
    with current.acting_as(eva), transaction():
        tenant = any_tenant_by_slug("acme")
        if tenant is None:
            raise LookupError("acme")
        actions.request_access(tenant, hours=4, feature=feature, may_change=False, reason=reason)


def _approve() -> None:
    asked = queries.newest(limit=1)[0]
    found = open_approval(actions.KIND, asked.id)
    if found is None:
        raise LookupError(asked.id)
    approvals.approve(found, seen=kinds.fingerprint_seen(found))
