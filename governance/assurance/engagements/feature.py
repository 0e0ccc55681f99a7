"""Audit engagements: auditors, their requests, and evidence packages."""

from governance.assurance.engagements import actions, auditor_sign_in, jobs, models, permissions, reauthentication, views
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, Daily, Every, Link, Manifest, not_by_scope

manifest = Manifest(
    name="engagements",
    models=(models,),
    routes=(auditor_sign_in.public, views.feature, reauthentication.feature),
    under=("evidence.index",),
    schedule=(
        Daily("tidy packages", jobs.tidy_packages, at="03:17"),
        Every("shut auditors' doors", jobs.end_sessions_of_closed_windows, seconds=10),
    ),
    work=(jobs.make_package,),
    palette=(
        Command("View auditor requests", "engagements.waiting", permissions.VIEW),
        Command("Generate an evidence package", "engagements.index", permissions.PACKAGE),
    ),
    audit=actions_in(actions),
    links={
        "Engagement": Link(endpoint="engagements.engagement", argument="engagement_id", within=not_by_scope),
        "EngagementAuditor": Link(no_page="auditors are listed on the page of their engagement"),
        "AuditRequest": Link(no_page="its address needs the engagement, which lists it"),
        "RequestImport": Link(no_page="its address needs the engagement, which lists its requests"),
        "EvidencePackage": Link(no_page="its address needs the engagement, which lists it"),
    },
)
