"""Audit engagements: auditors, their requests, and evidence packages."""

from governance.assurance.engagements import (
    actions,
    change_freeze,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    views,
)
from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import access_end, reauthentication
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.auditors import scope as auditor_scope
from governance.assurance.engagements.auditors import sign_in as auditor_sign_in
from governance.assurance.engagements.downloads import custody as download_custody
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.packages import views as package_views
from governance.assurance.engagements.requests import actions as requests
from governance.assurance.engagements.requests import import_views as list_import_views
from governance.assurance.engagements.requests import imports as list_imports
from governance.assurance.engagements.requests import responses
from governance.assurance.engagements.requests import views as request_views
from governance.assurance.evidence.ports import versions_to_keep
from governance.assurance.previews.ports import viewer_mark
from governance.foundation.audit.registry import actions_in
from governance.foundation.people.ports import reauthentication_address, why_not_member
from governance.foundation.privacy.events import PersonErased
from governance.foundation.tenants.events import TimeZoneChanged
from governance.kernel.files.downloads import custody
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Every,
    Manifest,
    PortAnswer,
    Subscription,
    WriteGuard,
    not_by_scope,
)
from governance.kernel.safety.visibility_scope import scope_finder
from governance.kernel.web.identity import identity

# Importing these modules adds their routes to views.feature.
VIEW_MODULES = (views, request_views, list_import_views, package_views)

manifest = Manifest(
    name="engagements",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(auditor_sign_in.public, views.feature, reauthentication.feature),
    under=("evidence.index",),
    schedule=(
        Daily("tidy packages", jobs.remove_unreferenced_packages_daily, at="03:17"),
        Every("end auditor sessions", jobs.end_sessions_of_closed_windows, seconds=10),
    ),
    work=(jobs.make_package,),
    palette=(
        Command("View auditor requests", "engagements.waiting", permissions.VIEW),
        Command("Generate an evidence package", "engagements.index", permissions.PACKAGE),
        Command(
            "Create an engagement", "engagements.opening", permissions.MANAGE, also="audit new"
        ),
    ),
    search=(palette.engagements, palette.requests),
    audit=actions_in(actions, auditor_access, packages, requests, responses, list_imports),
    links={
        "Engagement": EntryLink(
            endpoint="engagements.engagement", argument="engagement_id", within=not_by_scope
        ),
        "EngagementAuditor": EntryLink(no_page="listed on the page of their engagement"),
        "AuditRequest": EntryLink(no_page="listed on the page of its engagement"),
        "RequestImport": EntryLink(
            no_page="its requests are listed on the page of their engagement"
        ),
        "EvidencePackage": EntryLink(no_page="listed on the page of its engagement"),
    },
    publishes=(AuditorAccessEnded,),
    subscribes=(
        Subscription(TimeZoneChanged, actions.apply_time_zone),
        Subscription(PersonErased, auditor_access.forget_auditor, order=20),
        Subscription(AuditorAccessEnded, access_end.end_sessions, order=10),
        Subscription(AuditorAccessEnded, access_end.cancel_downloads, order=20),
    ),
    answers=(
        PortAnswer(identity.identify, auditor_sign_in.identify),
        PortAnswer(scope_finder, auditor_scope.scope_of_auditor),
        PortAnswer(custody, download_custody),
        PortAnswer(why_not_member, auditor_queries.why_not_member),
        PortAnswer(reauthentication_address, reauthentication.address),
        PortAnswer(versions_to_keep, change_freeze.reasons_to_keep),
        PortAnswer(viewer_mark, download_custody.viewer_mark),
    ),
    guards=(WriteGuard(change_freeze.FROZEN, change_freeze.check_not_frozen),),
    after_request=(download_custody.end_refused_session,),
    inbox=inbox.SOURCES,
)
