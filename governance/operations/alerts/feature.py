"""Burn-rate alerts on objectives."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="alerts")
