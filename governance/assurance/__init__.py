"""Assurance: frameworks, controls, evidence, testing and audit engagements."""
