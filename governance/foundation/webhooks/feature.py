"""Signed webhooks to a tenant's own systems, with retries and a dead letter queue."""

from governance.foundation.webhooks import models
from governance.kernel.manifest import Manifest

manifest = Manifest(name="webhooks", models=(models,))
