"""Budgets of AI cost: spend, forecast and alerts. A budget never blocks a request."""
