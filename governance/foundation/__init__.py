"""Tenants, people, keys and the audit log: what every feature stands on."""
