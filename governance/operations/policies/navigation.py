"""The tabs of the policy pages."""

from typing import Any

from flask import current_app, url_for

from governance.operations.policies.effective_policies import EffectivePolicy


def policy_tabs(standing: EffectivePolicy, here: str) -> dict[str, Any]:
    """What the row of tabs shows; stops are a feature above this one, so their page is only linked
    to.
    """
    switches = url_for("switches.index") if "switches.index" in current_app.view_functions else None
    return {
        "here": here,
        "systems": len(standing.systems),
        "waivers": len(standing.waivers),
        "switches": switches,
    }
