"""Support access: an operator in a tenant, for a while, because an admin of it agreed."""
