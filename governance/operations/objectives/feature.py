"""Objectives and their error budgets. The section Reliability opens with their list."""

from sqlalchemy import Select, String, cast, func, select

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    NavItem,
    SectionTab,
)
from governance.operations.gates.gates import GATES
from governance.operations.objectives import (
    actions,
    gates,
    glossary,
    models,
    palette,
    permissions,
    ports,
    system_parts,
    views,
)
from governance.operations.objectives.openslo import actions as openslo_actions
from governance.operations.objectives.openslo import models as openslo_models
from governance.operations.objectives.openslo import views as openslo_views
from governance.operations.systems.parts import SYSTEM_PARTS


def _firing() -> Select[int] | None:
    return ports.firing_count()()


def _count() -> Select[str]:
    live = models.Objective.retired_at.is_(None)
    return select(cast(func.count(), String)).select_from(models.Objective).where(live)


manifest = Manifest(
    name="objectives",
    models=(models, openslo_models),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(system_parts.OBJECTIVES, system_parts.INDICATORS),
        GATES(gates.OBJECTIVES),
    ),
    routes=(views.feature, openslo_views.feature),
    navigation=(
        NavItem(
            label="Reliability",
            icon="activity",
            endpoint="objectives.index",
            permission=permissions.VIEW,
            order=65,
            group="operations",
            counts_everything=True,
            count=_firing,
            count_word="firing",
        ),
    ),
    tabs=(
        SectionTab(
            section="reliability",
            label="Objectives",
            endpoint="objectives.index",
            permission=permissions.VIEW,
            order=10,
            note=_count,
            counts_everything=True,
        ),
    ),
    palette=(
        Command("New objective", "objectives.create", permissions.MANAGE),
        Command("Import OpenSLO", "openslo.new", permissions.MANAGE),
    ),
    search=(palette.objectives,),
    audit=actions_in(actions, openslo_actions),
    links={
        "Objective": EntryLink(endpoint="objectives.objective", argument="objective_id"),
        "OpenSloDocument": EntryLink(endpoint="openslo.new", noun="OpenSLO document"),
    },
)
