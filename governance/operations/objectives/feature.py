"""Objectives and their error budgets."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest
from governance.operations.objectives import actions, models, permissions, queries

_ = (permissions, queries)  # until the pages come

manifest = Manifest(
    name="objectives",
    models=(models,),
    audit=actions_in(actions),
    links={"Objective": EntryLink(no_page="its page is being built")},
)
