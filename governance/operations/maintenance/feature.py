"""Maintenance windows and other exclusions, and the calendar feed."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="maintenance")
