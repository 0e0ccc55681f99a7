"""The database: transactions sealed by tenant, statements, partitions, guards, the embedded server."""
