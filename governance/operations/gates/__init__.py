"""Gates: conditions of rollouts, which features add."""
