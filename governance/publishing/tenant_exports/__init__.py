"""Everything of a tenant in one signed archive."""
