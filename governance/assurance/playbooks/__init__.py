"""Playbooks: versioned checklists, their runs and drills."""
