"""Budgets of what AI costs: spend, forecast, and alerts. A budget never blocks a request."""
