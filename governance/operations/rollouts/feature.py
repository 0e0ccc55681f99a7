"""Rollouts: a release reaches people in stages, and each step depends on gates."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    EveryMinute,
    Manifest,
    PortAnswer,
    SectionTab,
)
from governance.operations.evaluations.ports import recorded_of, roles_of
from governance.operations.gates.gates import GATES
from governance.operations.policies import ports as policy_ports
from governance.operations.rollouts import (
    actions,
    documents,
    freeze_actions,
    freeze_views,  # noqa: F401 - adds the routes of the calendar to the feature
    gates,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    served_releases,
    step_approval,
    system_parts,
    tier_moves,
    views,
)
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="rollouts",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    tabs=(
        SectionTab(
            section="ai_systems",
            label="Rollouts",
            endpoint="rollouts.index",
            permission=permissions.VIEW,
            order=20,
        ),
    ),
    schedule=(EveryMinute("watch rollouts", jobs.watch, second=35),),
    palette=(
        Command("View rollouts", "rollouts.index", permissions.VIEW, also="releases"),
        Command("Plan a rollout", "rollouts.new", permissions.PLAN, also="new release ladder"),
        Command("View the freeze calendar", "rollouts.freezes", permissions.VIEW),
    ),
    search=(palette.rollouts,),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(
            system_parts.TAB, system_parts.FIGURE, system_parts.ROLLOUTS, system_parts.RECORDS
        ),
        GATES(gates.SERVED),
        APPROVAL_KINDS(step_approval.ROLLOUT_STEP),
    ),
    inbox=inbox.SOURCES,
    record_points=(documents.points_of,),
    audit=actions_in(actions, freeze_actions),
    links={
        "Rollout": EntryLink(endpoint="rollouts.rollout", argument="rollout_id"),
        "RolloutFreeze": EntryLink(endpoint="rollouts.freezes", noun="freeze of rollouts"),
    },
    answers=(
        PortAnswer(roles_of, served_releases.roles_of),
        PortAnswer(recorded_of, served_releases.recorded_of),
        PortAnswer(policy_ports.gate_moves, tier_moves.gate_moves),
    ),
)
