"""Tenants, people, keys and the audit log: what every feature builds on."""
