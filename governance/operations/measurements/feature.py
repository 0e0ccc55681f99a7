"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="measurements")
