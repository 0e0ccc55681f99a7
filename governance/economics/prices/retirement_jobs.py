"""A nightly job that enters vendors' model retirement dates in all customers' registers."""

from datetime import date

from governance.economics.prices import queries
from governance.economics.prices.model_names import match_key
from governance.foundation.tenants.for_each_tenant import in_each
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import transaction
from governance.operations.systems.retirement_actions import Announcement, follow_announcements

type Announcements = dict[str, Announcement]


def enter_model_retirements() -> None:
    """Read the operator's price book once, and write to each customer's tenant."""

    def here() -> None:
        with transaction(read_only=True):
            found = announcements()
        in_each(lambda: _enter(found), "model retirements not entered", wanted=_is_customer)

    in_each(here, "model retirements not read", wanted=_is_operator)


def announcements() -> Announcements:
    """Return the announcements in the price book, by match_key."""
    return {
        match_key(each.provider, each.model): Announcement(each.ends_on, each.successor or "")
        for each in queries.deprecations(date.min)
    }


def _enter(found: Announcements) -> None:
    with transaction():
        follow_announcements(lambda provider, name: found.get(match_key(provider, name)))


def _is_operator(tenant: Tenant) -> bool:
    return tenant.kind == "operator"


def _is_customer(tenant: Tenant) -> bool:
    return tenant.kind == "customer"
