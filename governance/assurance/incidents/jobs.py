"""Check the deadlines of all tenants' incidents every minute."""

from governance.assurance.incidents import reminders
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import transaction


def remind() -> None:
    """Remind people in every active tenant. A failure in one tenant doesn't stop the others."""
    in_each(_remind, "incident deadlines not checked", wanted=is_active)


def _remind() -> None:
    with transaction():
        reminders.remind()
