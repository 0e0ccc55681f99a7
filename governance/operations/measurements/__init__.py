"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""
