"""Burn-rate alerts on objectives."""
