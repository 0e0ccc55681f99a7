"""Anonymous benchmarks of usage."""
