"""What reading the log leaves in it."""

from governance.foundation.audit import queries
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.jobs import once_per

READ = action(
    "audit.entries.read",
    "read audit log entries",
    target="LogHead",
    activity="read",
    severity="informational",
    fields="hour",
)


def bundle_read() -> None:
    """A machine has read entries: one entry for each key and hour (docs/decisions/0011)."""
    hour, log = f"{clock.now():%Y-%m-%dT%H}", queries.head()
    if log is not None and once_per("bundle read", str(current.actor().key_id), hour):
        record(READ, log, hour=hour)
