"""Red teams: people attack an AI system, and a regression case proves each fix."""

from governance.assurance.red_teams import (
    actions,
    discussions,
    documents,
    evidence_actions,
    evidence_views,  # noqa: F401 - adds the routes of findings' evidence to the feature
    finding_actions,
    finding_views,  # noqa: F401 - adds the routes of findings to the feature
    gates,
    glossary,
    inbox,
    models,
    palette,
    permissions,
    policy_figure,
    system_parts,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    PortAnswer,
    SectionTab,
    not_by_scope,
)
from governance.operations.gates.gates import GATES
from governance.operations.policies.ports import setting_figures
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="red_teams",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    tabs=(
        SectionTab(
            section="ai_systems",
            label="Red teams",
            endpoint="red_teams.index",
            permission=permissions.VIEW,
            order=30,
        ),
    ),
    palette=(
        Command("View red teams", "red_teams.index", permissions.VIEW, also="attacks adversarial"),
        Command("Plan a red team", "red_teams.new", permissions.PLAN, also="attack penetration"),
    ),
    search=(palette.red_teams, palette.findings),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COMMENT_SUBJECTS(discussions.FINDING),
        SYSTEM_PARTS(
            system_parts.TAB,
            system_parts.FIGURE,
            system_parts.OPEN,
            system_parts.TEAMS,
            system_parts.FINDINGS,
        ),
        GATES(gates.AGE),
    ),
    record_points=(documents.points_of,),
    answers=(PortAnswer(setting_figures, policy_figure.setting_figures),),
    inbox=inbox.SOURCES,
    audit=actions_in(actions, finding_actions, evidence_actions),
    links={
        "RedTeam": EntryLink(
            endpoint="red_teams.red_team", argument="red_team_id", within=not_by_scope
        ),
        "RedTeamFinding": EntryLink(
            endpoint="red_teams.finding",
            argument="red_team_finding_id",
            noun="finding of a red team",
            within=not_by_scope,
        ),
    },
)
