"""Service level agreements: versions, commitments, credit bands, acceptance."""

from governance.kernel.manifest import Manifest
from governance.operations.agreements import models

manifest = Manifest(name="agreements", models=(models,))
