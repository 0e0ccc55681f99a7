"""Data sets of AI systems: what they are made of, and how long they may be used."""
