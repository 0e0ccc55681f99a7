"""Watch the gates of running rollouts every minute: halt, roll back or pause, never advance."""

from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import lock_tenant, transaction
from governance.operations.rollouts import actions, queries


def watch() -> None:
    """Watch every active tenant; what fails in one doesn't keep the others waiting."""
    in_each(watch_tenant, "rollouts not watched", wanted=is_active)


def watch_tenant() -> None:
    """Read the gates of each running rollout that serves anybody, each in its own transaction."""
    with transaction(read_only=True):
        ids = [each.id for each in queries.guarded()]
    for rollout_id in ids:
        with transaction():
            lock_tenant(actions.LOCK)
            actions.guard(queries.rollout(rollout_id))
