"""Evidence: items, versions, reviews, retention, and what machines push."""

from governance.assurance.evidence import (
    actions,
    api,
    approval_kinds,
    deletion,
    deletion_views,
    discussions,
    glossary,
    inbox,
    integrity,
    jobs,
    library_views,
    link_actions,
    models,
    openapi,
    palette,
    permissions,
    push,
    reminders,
    scanning,
    version_actions,
    version_views,
    views,
    withdrawing,
)
from governance.assurance.evidence.events import EvidenceFileDeleted
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.feature_settings import SETTINGS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest, NavItem
from governance.kernel.safety.visibility_scope import Scope

# Importing these modules adds their routes to `views.feature`.
VIEWS = (views, library_views, version_views, deletion_views)

manifest = Manifest(
    name="evidence",
    models=(models,),
    routes=(views.feature, api.feature),
    api=openapi.DESCRIPTION,
    navigation=(
        NavItem(
            label="Evidence",
            icon="files",
            endpoint="evidence.index",
            permission=permissions.VIEW,
            order=40,
            group="assurance",
        ),
    ),
    schedule=(
        Daily("tidy evidence", jobs.tidy_evidence, at="03:07"),
        Daily(jobs.VERIFY, jobs.verify_evidence, at="04:19"),
        Daily("remind of evidence", jobs.remind_of_evidence, at="06:12"),
    ),
    work=(jobs.destroy,),
    palette=(
        Command("Upload evidence", "evidence.index", permissions.UPLOAD, also="attach file"),
        Command("New evidence item", "evidence.create_form", permissions.MANAGE, also="add create"),
        Command("Review evidence", "evidence.inbox", permissions.REVIEW, also="accept return"),
        Command("Set retention of evidence", "evidence.retention", permissions.KEEP),
    ),
    search=(palette.evidence_items,),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SETTINGS(scanning.SETTING),
        COMMENT_SUBJECTS(discussions.EVIDENCE),
        APPROVAL_KINDS(*approval_kinds.KINDS),
    ),
    audit=actions_in(
        actions,
        link_actions,
        version_actions,
        deletion,
        integrity,
        push,
        reminders,
        withdrawing,
    ),
    links={
        "Evidence": EntryLink(
            endpoint="evidence.item", argument="evidence_id", within=Scope.holds_evidence
        ),
        "EvidenceVersion": EntryLink(no_page="it is listed on the page of its evidence item"),
        "EvidenceRetention": EntryLink(
            endpoint="evidence.retention", noun="evidence retention", single=True
        ),
    },
    inbox=inbox.SOURCES,
    publishes=(EvidenceFileDeleted,),
)
