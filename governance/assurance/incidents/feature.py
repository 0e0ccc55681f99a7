"""Incidents: roles, timeline, clocks, customer updates, reviews."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="incidents")
