"""Allocation rules: versions, approvals, and what they do to tenants."""
