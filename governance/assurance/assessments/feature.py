"""Assessments: conclusions on requirements, signed off by a second person."""

from governance.assurance.assessments import actions, inbox, models, palette, permissions, views
from governance.assurance.assessments.levels_sql import kept_down
from governance.assurance.evidence.inbox import consequence
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Answer, Command, EntryLink, Manifest, not_by_scope

manifest = Manifest(
    name="assessments",
    models=(models,),
    routes=(views.feature,),
    under=("frameworks.index",),
    palette=(
        Command("Start an assessment", "assessments.new", permissions.MANAGE),
        palette.requirements,
    ),
    search=(palette.assessments,),
    audit=actions_in(actions),
    links={
        "Assessment": EntryLink(
            endpoint="assessments.assessment", argument="assessment_id", within=not_by_scope
        ),
        "AssessmentItem": EntryLink(
            no_page="its page is that of the requirement, by framework and reference",
            noun="requirement",
        ),
        "Conclusion": EntryLink(no_page="it is shown on the page of its requirement"),
        "Comment": EntryLink(no_page="it is shown on the page of its requirement"),
    },
    inbox=inbox.SOURCES,
    answers=(Answer(consequence, kept_down),),
)
