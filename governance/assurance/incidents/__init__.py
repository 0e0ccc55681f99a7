"""Incidents: roles, timeline, clocks, customer updates, reviews."""
