"""Links for status reasons that are neither evidence nor a test.

They lead to the switch, the policy, the incident, or the finding of an evaluation.
"""

from flask import url_for

from governance.assurance.controls.status import StatusReason


def page_of_reason(reason: StatusReason) -> str | None:
    """Return the URL of a runtime dependency, or None for any other reason."""
    if reason.kind == "switch":
        return url_for("switches.system", system_key=reason.ref)
    if reason.kind == "waiver":
        return (
            url_for("waivers.waiver", waiver_id=reason.target_id)
            if reason.target_id
            else url_for("waivers.index")
        )
    if reason.kind == "alert":
        return url_for("alerts.alert", alert_id=reason.target_id)
    if reason.kind == "incident":
        return url_for("incidents.incident", incident_id=reason.target_id)
    if reason.kind == "evaluation":
        return url_for("evaluation_findings.finding", evaluation_finding_id=reason.target_id)
    return url_for("policies.index") if reason.kind == "policy" else None
