"""The background job of risks: record scores that controls have changed."""

from governance.assurance.risks import score_actions
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import transaction


def keep_scores() -> None:
    """Record changed scores and make their acceptances stale. Runs hourly."""
    in_each(_keep_scores, "scores of risks not kept", wanted=is_active)


def _keep_scores() -> None:
    with transaction():
        score_actions.keep_scores()
