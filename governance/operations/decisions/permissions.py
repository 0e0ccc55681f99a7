from governance.kernel.access import permission, scope

FLAGS_READ = scope("flags:read", "ask what is allowed and what is stopped, and get policy bundles")
DECIDE = permission("decisions.ask", "ask for decisions", scopes=FLAGS_READ)
