"""Incidents: roles, timeline, clocks, customer updates and reviews."""

from sqlalchemy import Select, String, cast, func, select

from governance.assurance.controls.ports import incident_problems, service_level_problems
from governance.assurance.incidents import (
    actions,
    alert_answers,
    chart_views,
    clock_actions,
    clock_views,
    coming_up,
    contact_actions,
    glossary,
    impact_actions,
    impact_views,
    inbox,
    jobs,
    late_follow_up,
    live_views,
    models,
    palette,
    permissions,
    reminders,
    review_actions,
    review_evidence,
    review_views,
    settings_views,
    severity_actions,
    status_views,
    stop_answers,
    suggestions,
    system_parts,
    update_actions,
    update_approval,
    update_views,
    views,
)
from governance.assurance.incidents.models import Incident
from governance.assurance.incidents.states import LIVE
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    EveryMinute,
    Manifest,
    PortAnswer,
    SectionTab,
    Subscription,
)
from governance.operations.alerts.ports import incident_spans
from governance.operations.evaluations import ports as evaluation_ports
from governance.operations.objectives.ports import coming_up_incidents, incidents_of, status_page
from governance.operations.policies.ports import open_incidents
from governance.operations.switches.events import StopOrdered
from governance.operations.switches.ports import incident_of
from governance.operations.systems.parts import SYSTEM_PARTS

# Importing these modules adds their routes to views.feature.
VIEW_MODULES = (
    views,
    impact_views,
    clock_views,
    update_views,
    review_views,
    settings_views,
    chart_views,
    live_views,
)


def _open() -> Select[str]:
    """Select "1 open", or NULL if none is."""
    number = func.count()
    text = cast(number, String) + " open"
    return select(func.nullif(text, "0 open")).select_from(Incident).where(Incident.state.in_(LIVE))


IN_INCIDENT = "on the page of its incident"
manifest = Manifest(
    name="incidents",
    models=(models,),
    routes=(views.feature, status_views.public),
    under=("objectives.index",),
    tabs=(
        SectionTab(
            section="reliability",
            label="Incidents",
            endpoint="incidents.index",
            permission=permissions.VIEW,
            order=40,
            note=_open,
            counts_everything=True,
        ),
    ),
    schedule=(EveryMinute("remind of incident deadlines", jobs.remind, second=25),),
    work=(review_evidence.file_review,),
    inbox=inbox.SOURCES,
    extensions=(
        GLOSSARY(*glossary.TERMS),
        APPROVAL_KINDS(update_approval.CUSTOMER_UPDATE),
        SYSTEM_PARTS(system_parts.USED_BY),
    ),
    palette=(
        Command("Declare an incident…", "incidents.new", permissions.DECLARE),
        Command("View incidents", "incidents.index", permissions.VIEW),
        Command(
            "Change severities and status page contacts",
            "incidents.settings",
            permissions.SETTINGS,
            also="incident settings",
        ),
        Command("View response times of incidents", "incidents.figures", permissions.VIEW),
    ),
    search=(palette.incidents,),
    audit=actions_in(
        actions,
        clock_actions,
        contact_actions,
        impact_actions,
        reminders,
        review_actions,
        severity_actions,
        suggestions,
        update_actions,
    ),
    links={
        "Incident": EntryLink(endpoint="incidents.incident", argument="incident_id"),
        "IncidentNote": EntryLink(no_page=IN_INCIDENT),
        "Impact": EntryLink(no_page=IN_INCIDENT, noun="impact window"),
        "ImpactFigure": EntryLink(no_page=IN_INCIDENT, noun="figure"),
        "Classification": EntryLink(no_page=IN_INCIDENT, noun="decision on a law"),
        "SentNotice": EntryLink(no_page=IN_INCIDENT, noun="notice"),
        "ClockPause": EntryLink(no_page=IN_INCIDENT, noun="pause"),
        "CustomerUpdate": EntryLink(no_page=IN_INCIDENT),
        "IncidentReview": EntryLink(no_page=IN_INCIDENT, noun="review"),
        "FollowUp": EntryLink(no_page=IN_INCIDENT, noun="action"),
        "IncidentSuggestion": EntryLink(no_page="in the inbox", noun="suggested incident"),
        "SeverityName": EntryLink(endpoint="incidents.settings", noun="severity"),
        "StatusContact": EntryLink(endpoint="incidents.settings", noun="status page contact"),
    },
    subscribes=(
        Subscription(StopOrdered, suggestions.suggest),
        Subscription(PersonErased, contact_actions.forget_contact, order=25),
    ),
    answers=(
        PortAnswer(service_level_problems, alert_answers.unanswered_alerts),
        PortAnswer(incident_problems, late_follow_up.late_follow_up),
        PortAnswer(incident_spans, coming_up.declared_incidents),
        PortAnswer(coming_up_incidents, coming_up.coming_up),
        PortAnswer(incidents_of, coming_up.incident_marks),
        PortAnswer(evaluation_ports.incidents_of, coming_up.system_incidents),
        PortAnswer(status_page, coming_up.status_page),
        PortAnswer(open_incidents, coming_up.tier_notices),
        PortAnswer(incident_of, stop_answers.incident_of),
    ),
)
