"""What a tenant's own usage costs at the list prices, on its own page."""
