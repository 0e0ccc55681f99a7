"""The database: transactions bound to a tenant, statements, partitions, guards, embedded server."""
