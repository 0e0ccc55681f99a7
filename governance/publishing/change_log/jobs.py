"""The scheduled job that drafts changes for customers from the record, every minute."""

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import clock
from governance.kernel.data.db import transaction
from governance.publishing.change_log import actions, queries
from governance.publishing.change_log import record as the_record


def draft() -> None:
    """Draft in every active tenant. An error in one tenant doesn't delay the others."""
    in_each(draft_in_tenant, "change log not drafted", wanted=is_active)


def draft_in_tenant() -> None:
    """Draft in one tenant. Reads first, because most minutes have nothing new to write."""
    with transaction(read_only=True):
        found = queries.change_log()
        if found is None:
            return
        new = the_record.since(found.drafted_until - actions.OVERLAP, clock.now())
        if not {each.cause_id for each in new} - queries.drafted_causes(
            [each.cause_id for each in new]
        ):
            return
    with transaction():
        actions.draft_from_record()
