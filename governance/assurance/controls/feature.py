"""Controls: the tenant's practices that satisfy requirements, and their tests."""

from governance.assurance.controls import (
    actions,
    adoption_views,
    control_test_actions,
    discussions,
    drill_evidence,
    glossary,
    mapping_actions,
    mapping_views,
    models,
    palette,
    permissions,
    queries,
    stop_evidence,
    views,
)
from governance.assurance.evidence.ports import supported_controls
from governance.foundation.audit.registry import actions_in
from governance.foundation.comments.subjects import COMMENT_SUBJECTS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Manifest,
    NavItem,
    PortAnswer,
    Subscription,
)
from governance.kernel.safety.visibility_scope import Scope
from governance.operations.intake.ports import mapped_controls
from governance.operations.switches.events import DrillEnded, StopLifted

# Importing these modules adds their routes to views.feature.
VIEWS = (views, mapping_views, adoption_views)

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
    palette=(
        Command("New control", "controls.creating", permissions.MANAGE, also="add create"),
        Command("Adopt the starter pack of controls", "controls.adopting", permissions.MANAGE),
    ),
    search=(palette.controls,),
    extensions=(GLOSSARY(*glossary.TERMS), COMMENT_SUBJECTS(discussions.CONTROL)),
    audit=actions_in(actions, mapping_actions, control_test_actions),
    links={
        "Control": EntryLink(endpoint="controls.control", argument="control_id", within=Scope.holds)
    },
    work=(stop_evidence.file_stop,),
    subscribes=(
        Subscription(DrillEnded, drill_evidence.file_drill),
        Subscription(StopLifted, stop_evidence.queue_filing),
    ),
    answers=(
        PortAnswer(supported_controls, queries.all_controls),
        PortAnswer(mapped_controls, queries.controls_by_requirement),
    ),
)
