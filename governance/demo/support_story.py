"""An operator's access to Acme: one approved visit, and a new request today.

It also records the installation's own backups in the operator's log.
"""

from dataclasses import replace

from governance.demo.cast import ADDRESSES, Cast, acting_on, days_ago, moment_of
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.support_access import actions, queries
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.publishing.operator_work.backup_records import Outcome, record_outcome

VISITED, DRILLED = 20, 12  # days ago


def tell(operator: Cast, acme: Cast) -> None:
    """Play a visit that was approved and ended early, then a request that awaits an admin."""
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
    record_backups(system_actor_in(eva.tenant_id, eva.tenant_slug, eva.tenant_name))
    _ask(eva, "", "Ticket 4790: the coverage of MEASURE 2.7 looks wrong")


def record_backups(console: Actor) -> None:
    """Record a backup for each of the last nights, and the drill after the last upgrade."""
    for day in range(3, 0, -1):
        with acting_on(console, days_ago(day - 1), 2), transaction():
            size, place = 48_213_504 - day * 90_112, f"/backup/base-{days_ago(day - 1)}"
            record_outcome("backup", Outcome(True, size, 41, place))
    with acting_on(console, days_ago(DRILLED), 10), transaction():
        record_outcome("drill", Outcome(True, 47_104_000, 38))


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
