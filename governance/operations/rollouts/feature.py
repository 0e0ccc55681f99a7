"""Rollouts: a release reaches people in stages, and each step rests on gates."""

from governance.kernel.manifest import Manifest
from governance.operations.rollouts import models

manifest = Manifest(name="rollouts", models=(models,))
