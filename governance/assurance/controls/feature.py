"""Controls: what the tenant does to satisfy requirements, and how it tests that."""

from governance.assurance.controls import actions, drill_evidence, models, palette, permissions, views
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Link, Manifest, NavItem, Subscription
from governance.kernel.scope import Scope
from governance.operations.switches.events import DrillEnded

manifest = Manifest(
    name="controls",
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Controls",
            icon="clipboard-check",
            endpoint="controls.index",
            permission=permissions.VIEW,
            order=30,
            group="assurance",
        ),
    ),
    search=(palette.controls,),
    audit=actions_in(actions),
    links={"Control": Link(endpoint="controls.control", argument="control_id", within=Scope.holds)},
    subscribes=(Subscription(DrillEnded, drill_evidence.file_drill),),
)
