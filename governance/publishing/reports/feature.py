"""Reports: signed PDFs, and the page where anyone can verify one."""

from governance.assurance.engagements.ports import signed_copies, signed_originals
from governance.foundation.audit.registry import actions_in
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    NavItem,
    PortAnswer,
    SectionTab,
    Subscription,
    not_by_scope,
)
from governance.operations.systems.parts import SYSTEM_PARTS
from governance.publishing.reports import (
    actions,
    glossary,
    jobs,
    models,
    palette,
    permissions,
    system_parts,
    views,
)
from governance.publishing.reports.events import ReportGenerated
from governance.publishing.reports.seals import actions as seal_actions
from governance.publishing.reports.seals import copies
from governance.publishing.reports.seals import inbox as seal_inbox
from governance.publishing.reports.seals import models as seal_models
from governance.publishing.reports.seals import permissions as seal_permissions
from governance.publishing.reports.seals import views as seal_views

manifest = Manifest(
    name="reports",
    models=(models, seal_models),
    routes=(views.feature, views.public, seal_views.feature),
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
    tabs=(
        SectionTab(
            section="reports",
            label="Reports",
            endpoint="reports.index",
            permission=permissions.VIEW,
            order=10,
        ),
    ),
    extensions=(GLOSSARY(*glossary.TERMS), SYSTEM_PARTS(system_parts.USED_BY)),
    work=(jobs.make_report,),
    palette=(
        Command("Generate the AI RMF report", "reports.index", permissions.RUN),
        Command("Generate a policy attestation", "reports.index", permissions.RUN),
        Command("Change how reports are sealed", "report_seals.index", seal_permissions.MANAGE),
    ),
    search=(palette.reports,),
    inbox=seal_inbox.SOURCES,
    audit=actions_in(actions, seal_actions),
    links={
        "ReportRun": EntryLink(
            endpoint="reports.report", argument="run_id", noun="report", within=not_by_scope
        ),
        "SigningKey": EntryLink(
            no_page="anyone can verify reports with it at the public address",
            noun="report signing key",
            single=True,
        ),
        "SealSettings": EntryLink(endpoint="report_seals.index", noun="report seals", single=True),
        "SealCertificate": EntryLink(
            no_page="listed with the settings of reports", noun="certificate"
        ),
        "CertificateAuthority": EntryLink(
            no_page="its certificate is at a public address", noun="report authority", single=True
        ),
    },
    answers=(
        PortAnswer(signed_copies, copies),
        PortAnswer(signed_originals, copies.originals),
    ),
    publishes=(ReportGenerated,),
    subscribes=(
        Subscription(PersonErased, actions.withdraw_naming, order=30),
        Subscription(PersonErased, seal_actions.forget_copies, order=30),
    ),
)
