"""The facts that a tenant's answers follow from, loaded whole in the present transaction."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select

from governance.foundation.api_keys import queries as api_keys
from governance.kernel import clock, current, key_encryption, tenant_revision
from governance.kernel.db import session
from governance.operations.decisions.flags import Above, Facts, Feature
from governance.operations.decisions.models import BundleKey
from governance.operations.policies import queries as policies
from governance.operations.policies.effective_policies import Platform
from governance.operations.switches import queries as switches
from governance.operations.switches.active_stops import ActiveStop, covering
from governance.operations.systems.models import SystemFeature

PURPOSE = b"policy-bundle\0"
STAYS = timedelta(
    hours=1
)  # a retired key is published for so long: many times the life of a bundle


def facts() -> Facts:
    """Of the acting tenant."""
    who = current.actor()
    numbers = tenant_revision.revisions([who.tenant_id, tenant_revision.OVER_ALL])
    stops = tuple(switches.active_stops())
    signing, standing = bundle_keys(), policies.standing()
    key = next((each for each in reversed(signing) if each.retired_at is None), None)
    return Facts(
        who.tenant_id,
        who.tenant_slug,
        numbers.get(who.tenant_id, 0),
        numbers.get(tenant_revision.OVER_ALL, 0),
        api_keys.every_key(),
        standing,
        _features(stops),
        stops,
        _later(standing.platform),
        key_encryption.unwrap(key.wrapped, context(who.tenant_id)) if key else None,
        key_id(key) if key else "",
        tuple((key_id(each), each.public) for each in signing),
    )


def _features(stops: Collection[ActiveStop]) -> tuple[Feature, ...]:
    """The live ones, and the retired ones over which a stop stands: retiring restarts nothing."""
    every = session().scalars(select(SystemFeature).order_by(SystemFeature.key))
    return tuple(
        Feature(f.id, f.system_id, f.key)
        for f in every
        if f.retired_at is None or covering(stops, f.system_id, f.id)
    )


def above(number: int) -> Above:
    """What stands over all tenants, as any transaction may read it; `number` is its mark."""
    platform = policies.platform()
    return Above(number, platform, _later(platform), tuple(switches.platform_stops()))


def _later(platform: Platform) -> tuple[Platform, ...]:
    """What holds when its floor has ended, and when the next one has, until one lasts."""
    found: list[Platform] = []
    while platform.until is not None:
        platform = policies.platform(platform.until)
        found.append(platform)
    return tuple(found)


def bundle_key() -> BundleKey | None:
    """The key that signs now."""
    query = (
        select(BundleKey)
        .where(BundleKey.retired_at.is_(None))
        .order_by(BundleKey.created_at.desc(), BundleKey.id.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def bundle_keys() -> list[BundleKey]:
    """The key that signs, and those whose last bundles have not run out yet."""
    recent = or_(BundleKey.retired_at.is_(None), BundleKey.retired_at > clock.now() - STAYS)
    return list(session().scalars(select(BundleKey).where(recent).order_by(BundleKey.created_at)))


def context(tenant_id: UUID) -> bytes:
    return PURPOSE + tenant_id.bytes


def key_id(key: BundleKey) -> str:
    return str(key.id)
