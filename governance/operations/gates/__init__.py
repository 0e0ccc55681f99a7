"""Gates: what rollouts rest on, and features bring."""
