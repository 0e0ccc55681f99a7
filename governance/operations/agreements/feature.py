"""Service level agreements: versions, commitments, credit bands, acceptance."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="agreements")
