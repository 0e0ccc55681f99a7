"""Objectives and their error budgets."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="objectives")
