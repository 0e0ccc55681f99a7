"""Assessments: conclusions on requirements, signed off by a second person."""

from governance.assurance.assessments import (
    assessment_actions,
    assessment_views,
    conclusion_actions,
    glossary,
    inbox,
    item_actions,
    models,
    outdated_actions,
    palette,
    permissions,
    requirement_views,
    system_parts,
    views,
)
from governance.assurance.assessments.levels_sql import lowered_requirement
from governance.assurance.evidence.inbox import consequence
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    PortAnswer,
    Subscription,
    not_by_scope,
)
from governance.operations.systems.events import SystemChanged
from governance.operations.systems.parts import SYSTEM_PARTS

# Importing these modules adds their routes to the feature.
VIEW_MODULES = (views, requirement_views, assessment_views)

manifest = Manifest(
    name="assessments",
    models=(models,),
    routes=tuple({module.feature: None for module in VIEW_MODULES}),
    under=("frameworks.index",),
    palette=(
        Command("Start an assessment", "assessments.new", permissions.MANAGE),
        Command(
            "Sign off conclusions", "assessments.index", permissions.SIGN, also="sign-off approve"
        ),
        palette.requirements,
    ),
    search=(palette.assessments,),
    audit=actions_in(assessment_actions, item_actions, conclusion_actions, outdated_actions),
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
    subscribes=(Subscription(SystemChanged, outdated_actions.mark_outdated),),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(system_parts.OUTDATED, system_parts.OPEN, system_parts.USED_BY),
    ),
    inbox=inbox.SOURCES,
    answers=(PortAnswer(consequence, lowered_requirement),),
)
