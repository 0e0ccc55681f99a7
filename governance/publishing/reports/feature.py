"""Reports: signed PDFs, and the page where anyone can verify one."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.privacy.events import PersonErased
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    NavItem,
    Subscription,
    not_by_scope,
)
from governance.publishing.reports import actions, jobs, models, permissions, views

manifest = Manifest(
    name="reports",
    models=(models,),
    routes=(views.feature, views.public),
    navigation=(
        NavItem(
            label="Reports",
            icon="clipboard-data",
            endpoint="reports.index",
            permission=permissions.VIEW,
            order=80,
            group="records",
        ),
    ),
    work=(jobs.make_report,),
    palette=(
        Command("Generate the AI RMF report", "reports.index", permissions.RUN),
        Command("Generate a policy attestation", "reports.index", permissions.RUN),
    ),
    audit=actions_in(actions),
    links={
        "ReportRun": EntryLink(
            endpoint="reports.report", argument="run_id", noun="report", within=not_by_scope
        ),
        "SigningKey": EntryLink(
            no_page="anyone can verify reports with it at the public address",
            noun="report signing key",
            single=True,
        ),
    },
    subscribes=(Subscription(PersonErased, actions.withdraw_naming, order=30),),
)
