"""What AI costs and earns: usage, prices, costs, revenue, allocation, reviews."""
