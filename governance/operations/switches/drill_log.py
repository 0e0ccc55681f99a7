"""The log entries of drills."""

from governance.foundation.audit.registry import action

DRILL_PLANNED = action(
    "switch.drill.planned",
    "planned a drill",
    target="Drill",
    activity="create",
    severity="informational",
    fields="key name due_at seconds repeat_days state",
)
DRILL_AGREED = action(
    "switch.drill.approved",
    "approved a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name due_at seconds repeat_days",
)
DRILL_CANCELLED = action(
    "switch.drill.cancelled",
    "cancelled a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name due_at",
)
DRILL_BEGUN = action(
    "switch.drill.started",
    "started a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name seconds version expected",
)
DRILL_LIFTED = action(
    "switch.drill.stop.ended",
    "ended a drill's stop",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name version",
)
DRILL_PASSED = action(
    "switch.drill.passed",
    "completed a drill, which passed",
    target="Drill",
    activity="update",
    severity="informational",
    fields="key name expected obeyed slowest_ms",
    shape="ok",
)
DRILL_FAILED = action(
    "switch.drill.failed",
    "completed a drill, which failed",
    target="Drill",
    activity="update",
    severity="high",
    fields="key name expected obeyed slowest_ms missing why",
    shape="bad",
)
