"""Where a reason leads that is neither evidence nor a test: the switch, the waiver, the policy."""

from flask import url_for

from governance.controls.status import Reason


def standing_place(reason: Reason) -> str | None:
    """The page of what a control rests on; None for every other reason."""
    if reason.kind == "switch" and reason.target_id:
        return url_for("systems.system", system_id=reason.target_id)
    if reason.kind == "waiver":
        return url_for("policies.index", _anchor="waivers")
    return url_for("policies.index") if reason.kind == "policy" else None
