"""Data sets of AI systems: their versions, licences, consent and age."""
