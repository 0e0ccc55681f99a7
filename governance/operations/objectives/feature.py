"""Objectives and their error budgets."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Manifest
from governance.operations.objectives import actions, models

manifest = Manifest(
    name="objectives",
    models=(models,),
    audit=actions_in(actions),
)
