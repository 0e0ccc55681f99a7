"""Tests of objectives and their error budgets."""
