"""Bills of providers and clouds, and their comparison with computed cost."""
