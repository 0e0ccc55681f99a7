"""Playbooks: versioned checklists, their runs and drills."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="playbooks")
