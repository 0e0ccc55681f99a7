"""Incident steps that several stories share, performed by the acting person."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from governance.assurance.incidents import clock_actions, impact_actions, queries
from governance.assurance.incidents.models import Incident
from governance.kernel import clock

NOT_APPLICABLE = {
    "gdpr": "No personal data left the system.",
    "nis2": "Acme isn't an essential or important entity.",
    "cra": "The product is outside its scope.",
    "ai-act": "Nobody was harmed, and no fundamental right was infringed.",
}
TIME_TO_DECIDE = timedelta(days=2)


def end_impact(incident: Incident, at: datetime) -> None:
    """End the one impact window of an incident."""
    [window] = [each.impact for each in queries.impacts_of([incident.id])[incident.id]]
    impact_actions.change_window(incident, window, starts_at=window.starts_at, ends_at=at)


def classify(
    incident: Incident, *, applies: str | None = None, undecided: Mapping[str, UUID] | None = None
) -> None:
    """Classify the incident under every law.

    At most one law applies. Laws in `undecided` are assigned to the person named there.
    """
    deciders = undecided or {}
    for law, reason in NOT_APPLICABLE.items():
        if law in deciders:
            due = clock.now() + TIME_TO_DECIDE
            clock_actions.assign_decider(incident, law, decider_id=deciders[law], decide_by=due)
        elif law == applies:
            clock_actions.classify(incident, law, applies=True)
        else:
            clock_actions.classify(incident, law, applies=False, reason=reason)
