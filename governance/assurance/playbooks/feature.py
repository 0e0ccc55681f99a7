"""Playbooks: versioned checklists, their runs and drills."""

from sqlalchemy import Select, func, select

from governance.assurance.playbooks import (
    actions,
    coming_up,
    glossary,
    inbox,
    models,
    palette,
    permissions,
    run_actions,
    run_views,  # noqa: F401 - adds the routes of runs to the feature
    views,
)
from governance.assurance.playbooks.models import Playbook
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, PortAnswer, SectionTab
from governance.operations.objectives.ports import coming_up_playbooks


def _count() -> Select[int]:
    return select(func.count()).select_from(Playbook).where(Playbook.retired_at.is_(None))


manifest = Manifest(
    name="playbooks",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    under=("objectives.index",),
    answers=(PortAnswer(coming_up_playbooks, coming_up.planned_drills),),
    tabs=(
        SectionTab(
            section="reliability",
            label="Playbooks",
            endpoint="playbooks.index",
            permission=permissions.VIEW,
            order=50,
            note=_count,
        ),
    ),
    inbox=inbox.SOURCES,
    palette=(Command("New playbook", "playbooks.new", permissions.EDIT),),
    search=(palette.playbooks, palette.runs),
    audit=actions_in(actions, run_actions),
    links={
        "Playbook": EntryLink(endpoint="playbooks.playbook", argument="playbook_id"),
        "PlaybookRun": EntryLink(
            endpoint="playbooks.run", argument="playbook_run_id", noun="playbook run"
        ),
    },
)
