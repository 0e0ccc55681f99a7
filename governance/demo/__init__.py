"""The demo world: its people, their identity provider, and eighteen months of made-up work."""
