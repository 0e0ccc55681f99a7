"""Statements: closed months with their arithmetic, revisions, disputes and claims."""

from governance.kernel.manifest import Manifest
from governance.publishing.statements import models

manifest = Manifest(name="statements", models=(models,))
