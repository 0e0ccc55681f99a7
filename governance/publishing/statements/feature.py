"""Monthly SLA statements: closing, credits, disputes, claims."""

from governance.kernel.manifest import Manifest

manifest = Manifest(name="statements")
