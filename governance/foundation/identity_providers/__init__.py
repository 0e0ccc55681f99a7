"""Identity providers: how a tenant's people sign in, and how two people change it."""
