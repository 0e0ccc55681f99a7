"""Allocation rules: versions, approvals, and their effect on tenants."""
