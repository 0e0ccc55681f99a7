"""Objectives and their error budgets."""
