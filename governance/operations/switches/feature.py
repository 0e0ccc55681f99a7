"""The kill switch: stops, restarts and drills."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.foundation.populations.collector import COLLECTORS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    Daily,
    EntryLink,
    Every,
    Manifest,
    NavItem,
    ObjectCommand,
)
from governance.operations.switches import (
    actions,
    collectors,
    drill_approval,
    drill_log,
    drill_views,
    events,
    glossary,
    jobs,
    models,
    operator_views,
    permissions,
    platform_actions,
    platform_approval,
    restart_approval,
    system_parts,
    views,
)
from governance.operations.systems.palette import KIND as AI_SYSTEM
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="switches",
    models=(models,),
    routes=(views.feature, drill_views.feature, operator_views.feature),
    navigation=(
        NavItem(
            label="Switch",
            icon="bolt",
            endpoint="operator_switches.switch",
            permission=permissions.PLATFORM,
            order=40,
            group="platform",
            audience="operator",
        ),
    ),
    under=("systems.index",),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COLLECTORS(collectors.Drills()),
        SYSTEM_PARTS(
            system_parts.SWITCH,
            system_parts.SWITCHES_TAB,
            system_parts.STOPS,
            system_parts.DRILLS,
            system_parts.RECORDS,
        ),
        APPROVAL_KINDS(
            restart_approval.RESTART, platform_approval.PLATFORM_RESTART, drill_approval.DRILL
        ),
    ),
    schedule=(
        Every("run due drills", jobs.run_due_drills, seconds=5),
        Daily("forget quiet consumers", jobs.forget_consumers, at="01:47"),
    ),
    palette=(
        Command("View the switches", "switches.index", permissions.VIEW),
        Command("Stop everything…", "switches.stop_everything", permissions.STOP),
        Command(
            "Restart what is stopped",
            "switches.index",
            permissions.RESTART,
            also="resume start again system",
        ),
        Command(
            "Stop or restart the platform",
            "operator_switches.switch",
            permissions.PLATFORM,
            also="everything all tenants resume",
        ),
        ObjectCommand(
            AI_SYSTEM,
            "Switches of {title}",
            "switches.system",
            "system_key",
            permissions.VIEW,
            hint="switch",
        ),
        ObjectCommand(
            AI_SYSTEM,
            "Stop {title}…",
            "switches.stop_system",
            "system_key",
            permissions.STOP,
            word="stop",
        ),
    ),
    audit=actions_in(actions, platform_actions, drill_log),
    links={
        "Stop": EntryLink(endpoint="switches.stop", argument="stop_id"),
        "Drill": EntryLink(endpoint="drills.drill", argument="drill_id"),
        "PlatformStop": EntryLink(endpoint="operator_switches.switch"),
    },
    publishes=(events.DrillEnded, events.StopOrdered, events.StopLifted),
)
