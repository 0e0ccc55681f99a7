from governance.kernel.safety.access import permission, scope

READ = scope("audit:read", "read the audit log's checkpoints, tiles, entries and proofs")
MIRROR = permission("audit.mirror", "mirror the audit log", scopes=READ)
