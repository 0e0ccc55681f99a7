"""Watch the gates of running rollouts every minute.

The job may halt, roll back or pause a rollout, but never advances it.
"""

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import lock_tenant, transaction
from governance.operations.rollouts import actions, queries


def watch() -> None:
    """Watch every active tenant. A failure in one doesn't delay the others."""
    in_each(watch_tenant, "rollouts not watched", wanted=is_active)


def watch_tenant() -> None:
    """Read the gates of each running rollout with a share, each in its own transaction."""
    with transaction(read_only=True):
        ids = [each.id for each in queries.guarded()]
    for rollout_id in ids:
        with transaction():
            lock_tenant(actions.LOCK)
            actions.guard(queries.rollout(rollout_id))
