"""The key that signs a tenant's policy bundles.

It is created for the first bundle and rotated by command.
"""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.safety import key_encryption
from governance.operations.decisions import queries
from governance.operations.decisions.models import BundleKey

KEY_CREATED = action(
    "policy_bundle.signing_key.created",
    "created a policy bundle signing key",
    target="BundleKey",
    activity="create",
    severity="medium",
    fields="key_id replaces",
)

key_encryption.holds(BundleKey, "wrapped", lambda row: queries.context(row.tenant_id))


def bundle_key() -> BundleKey:
    """Return the signing key. Concurrent workers create only one."""
    return queries.bundle_key() or _create()


def _create() -> BundleKey:
    lock_tenant("bundle key")
    return queries.bundle_key() or rotate()


def rotate() -> BundleKey:
    """Create a new signing key. Bundles of the previous one can be verified until they expire."""
    lock_tenant("bundle key")
    before, private = queries.bundle_key(), Ed25519PrivateKey.generate()
    key = BundleKey(
        public=private.public_key().public_bytes_raw(),
        retired_at=None,
        created_at=clock.now(),
        wrapped=key_encryption.wrap(
            private.private_bytes_raw(), queries.context(current.actor().tenant_id)
        ),
    )
    if before is not None:
        before.retired_at = clock.now()
    session().add(key)
    session().flush()
    record(
        KEY_CREATED,
        key,
        key_id=queries.key_id(key),
        replaces=queries.key_id(before) if before else None,
    )
    tenant_revision.advance()
    return key
