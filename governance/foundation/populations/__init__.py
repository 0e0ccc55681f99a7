"""Populations of evidence, and the collectors that features add to gather them."""
