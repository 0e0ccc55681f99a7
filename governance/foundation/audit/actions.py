"""Record that machines read the log."""

from governance.foundation.audit import queries
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.work.jobs import once_per

READ = action(
    "audit.entries.read",
    "read audit log entries",
    target="LogHead",
    activity="read",
    severity="informational",
    fields="hour",
)


def record_machine_read() -> None:
    """Record that a machine read entries, once per key and hour (docs/decisions/0011)."""
    hour, log = f"{clock.now():%Y-%m-%dT%H}", queries.head()
    who = current.actor()
    if log is not None and once_per(f"bundle read {who.key_id}", who.tenant_slug, hour):
        record(READ, log, hour=hour)
