"""Allocation of shared cost to tenants, by versioned rules that two people approve."""
