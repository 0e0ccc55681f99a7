"""Anonymous benchmarks of usage over all tenants, with differential privacy."""
