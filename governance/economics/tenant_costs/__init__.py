"""The cost of a tenant's own usage at list prices, on its own page."""
