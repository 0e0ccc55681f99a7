"""Reviews: the operator's months with their frozen figures, discussed, signed and exported."""

from governance.economics.reviews import models
from governance.kernel.manifest import Manifest

manifest = Manifest(name="reviews", models=(models,))
