"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Backup",
        "A copy of the database that can be restored; the operator records each one, and the inbox"
        " reports when the last one is too old.",
        "backup",
    ),
    Term(
        "Queues and jobs",
        "Where operators see background work of all tenants that waits, runs or failed, and when"
        " scheduled jobs ran.",
        "platform_work",
    ),
    Term(
        "Restore drill",
        "A rehearsal of a restore on a temporary server, from a backup that is older than an erasure,"
        " with a recorded outcome.",
        "restore_drill",
    ),
)
