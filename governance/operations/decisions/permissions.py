from governance.kernel.safety.access import permission, scope

FLAGS_READ = scope("flags:read", "read policies and switches, and download policy bundles")
DECIDE = permission("decisions.ask", "read decisions", scopes=FLAGS_READ)
