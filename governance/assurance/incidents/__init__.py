"""Incidents: roles, timeline, clocks, customer updates and reviews."""
