"""Incidents: roles, timeline, clocks, customer updates, reviews."""

from governance.assurance.controls.ports import incident_problems, service_level_problems
from governance.assurance.incidents import (
    actions,
    alert_answers,
    late_follow_up,
    models,
    suggestions,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest, PortAnswer, Subscription
from governance.operations.switches.events import StopOrdered

manifest = Manifest(
    name="incidents",
    models=(models,),
    audit=actions_in(actions, suggestions),
    links={
        "Incident": EntryLink(no_page="pages come with the next landing"),
        "IncidentNote": EntryLink(no_page="in the timeline of its incident"),
        "IncidentSuggestion": EntryLink(no_page="listed in the inbox"),
    },
    subscribes=(Subscription(StopOrdered, suggestions.suggest),),
    answers=(
        PortAnswer(service_level_problems, alert_answers.unanswered_alerts),
        PortAnswer(incident_problems, late_follow_up.late_follow_up),
    ),
)
