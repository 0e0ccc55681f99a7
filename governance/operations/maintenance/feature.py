"""Maintenance windows and other exclusions, and the calendar feed."""

from governance.kernel.manifest import Manifest
from governance.operations.maintenance import models

manifest = Manifest(name="maintenance", models=(models,))
