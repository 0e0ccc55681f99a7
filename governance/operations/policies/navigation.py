"""The tabs of the policy pages."""

from typing import Any

from flask import current_app, url_for

from governance.operations.policies.effective_policies import EffectivePolicy


def policy_tabs(policy: EffectivePolicy, here: str) -> dict[str, Any]:
    """Return the tabs. The switches belong to a higher feature, so their tab is only a link."""
    switches = url_for("switches.index") if "switches.index" in current_app.view_functions else None
    return {
        "here": here,
        "systems": len(policy.systems),
        "waivers": len(policy.waivers),
        "switches": switches,
    }
