"""Usage events of AI products, counted by day."""
