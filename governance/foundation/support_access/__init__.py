"""Support access: an operator in a tenant, for a limited time, with the approval of its admin."""
