"""Background work on risks: keep the scores that controls have changed."""

from governance.assurance.risks import score_actions
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel.data.db import transaction


def keep_scores() -> None:
    """Hourly: keep changed scores, and let acceptances of other ones lapse."""
    in_each(_keep_scores, "scores of risks not kept", wanted=is_active)


def _keep_scores() -> None:
    with transaction():
        score_actions.keep_scores()
