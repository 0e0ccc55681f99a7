"""Maintenance windows and other exclusions, and the calendar feed."""
