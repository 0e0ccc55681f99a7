"""The demo world: its people, their identity provider, and eighteen months of invented activity."""
