"""Scheduled work: digests each hour, the sweep each night."""

from governance.foundation.notifications import actions, digests
from governance.foundation.tenants.for_each_tenant import in_each, is_active, once_a_day_in_each
from governance.kernel.data.db import transaction


def send_digests() -> None:
    in_each(_send_digests, "digests not sent", wanted=is_active)


def _send_digests() -> None:
    with transaction():
        digests.send_digests()


def delete_old() -> None:
    once_a_day_in_each("delete old notifications", actions.delete_old)
