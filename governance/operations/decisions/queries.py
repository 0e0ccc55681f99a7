"""The facts that a tenant's decisions depend on, loaded in one transaction."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, text

from governance.foundation.api_keys import queries as api_keys
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.safety import key_encryption
from governance.operations.decisions.flags import DecisionFacts, DecisionFeature, PlatformFacts
from governance.operations.decisions.models import BundleKey
from governance.operations.policies import queries as policies
from governance.operations.policies.effective_policies import Platform
from governance.operations.rollouts import queries as rollouts
from governance.operations.switches import queries as switches
from governance.operations.switches.active_stops import ActiveStop, covering
from governance.operations.systems.models import SystemFeature

PURPOSE = b"policy-bundle\0"
EVERYDAY_TIERS = ("baseline", "standard")
PUBLISHED_AFTER_RETIREMENT = timedelta(hours=1)  # Many times the lifetime of a bundle
SUSPENDED = "The operator suspended this tenant."
# The operator's stop, the tenant's own ones, the suspension: in the order of `facts`. Each row has
# the revision; without stops, one row has only the revision.
STOPS = text("""
SELECT coalesce((SELECT number FROM marks WHERE id = :tenant), 0), id, scope,
  system_id, feature_id, generate, serve, reason, version, since, is_drill
FROM (SELECT) always LEFT JOIN (
  SELECT 1 AS place, id, 'platform' AS scope, NULL::uuid AS system_id, NULL::uuid AS feature_id,
    generate, serve, reason, 0 AS version, created_at AS since, false AS is_drill
  FROM platform_stops WHERE restarted_at IS NULL
  UNION ALL
  SELECT 2, id, scope, system_id, feature_id, generate, serve, reason, version, created_at,
    drill_id IS NOT NULL
  FROM stops WHERE tenant_id = :tenant AND restarted_at IS NULL
  UNION ALL
  SELECT 3, id, 'tenant', NULL, NULL, true, :serve, :suspended, 0,
    coalesce(suspended_at, created_at), false
  FROM tenants WHERE id = :tenant AND status <> 'active'
) found ON true ORDER BY place, since
""")


def facts() -> DecisionFacts:
    """Return the facts of the acting tenant."""
    who = current.actor()
    numbers = tenant_revision.revisions([who.tenant_id, tenant_revision.OVER_ALL])
    signing, policy = bundle_keys(), policies.current_policy()
    stops = (*switches.active_stops(), *_suspension(policy.content.tier))
    key = next((each for each in reversed(signing) if each.retired_at is None), None)
    return DecisionFacts(
        who.tenant_id,
        who.tenant_slug,
        numbers.get(who.tenant_id, 0),
        numbers.get(tenant_revision.OVER_ALL, 0),
        api_keys.every_key(),
        policy,
        _features(stops),
        stops,
        _later(policy.platform),
        key_encryption.unwrap(key.wrapped, context(who.tenant_id)) if key else None,
        key_id(key) if key else "",
        tuple((key_id(each), each.public) for each in signing),
        rollouts_now(),
    )


def stops_now(tier: str) -> tuple[int, tuple[ActiveStop, ...]]:
    """Return the acting tenant's revision, and its stops as in `facts`. Runs one statement."""
    values = {
        "tenant": current.actor().tenant_id,
        "suspended": SUSPENDED,
        "serve": tier not in EVERYDAY_TIERS,
    }
    rows = session().execute(STOPS, values).all()
    return rows[0][0], tuple(ActiveStop(*row[1:]) for row in rows if row[1] is not None)


def rollouts_now() -> tuple[rollouts.Serving, ...]:
    """Return the rollouts of the acting tenant as served. Runs one statement."""
    return tuple(rollouts.serving())


def _suspension(tier: str) -> tuple[ActiveStop, ...]:
    """Return the stop of everything in a tenant that the operator has suspended.

    In the tiers for everyday work, stored answers may still be served. Every other tier, including
    the operator's own tiers, serves nothing.
    """
    began = func.coalesce(Tenant.suspended_at, Tenant.created_at)
    mine = select(began).where(Tenant.id == current.actor().tenant_id, Tenant.status != "active")
    since = session().scalar(mine)
    if since is None:
        return ()
    serve = tier not in EVERYDAY_TIERS
    return (
        ActiveStop(
            current.actor().tenant_id,
            "tenant",
            None,
            None,
            generate=True,
            serve=serve,
            reason=SUSPENDED,
            version=0,
            since=since,
        ),
    )


def _features(stops: Collection[ActiveStop]) -> tuple[DecisionFeature, ...]:
    """Return active features, and stopped retired ones, since retiring restarts nothing."""
    every = session().scalars(select(SystemFeature).order_by(SystemFeature.key))
    return tuple(
        DecisionFeature(f.id, f.system_id, f.key)
        for f in every
        if f.retired_at is None or covering(stops, f.system_id, f.id)
    )


def platform_facts(number: int) -> PlatformFacts:
    """Return the operator's layer and stops. `number` is their revision."""
    platform = policies.platform()
    return PlatformFacts(number, platform, _later(platform), tuple(switches.platform_stops()))


def _later(platform: Platform) -> tuple[Platform, ...]:
    """Return the layers that follow when this minimum ends, up to one without an end."""
    found: list[Platform] = []
    while platform.until is not None:
        platform = policies.platform(platform.until)
        found.append(platform)
    return tuple(found)


def bundle_key() -> BundleKey | None:
    """Return the current signing key."""
    query = (
        select(BundleKey)
        .where(BundleKey.retired_at.is_(None))
        .order_by(BundleKey.created_at.desc(), BundleKey.id.desc())
    )
    return session().scalars(query.limit(1)).one_or_none()


def bundle_keys() -> list[BundleKey]:
    """Return the current key, and older ones whose bundles may still be valid."""
    recent = or_(
        BundleKey.retired_at.is_(None),
        BundleKey.retired_at > clock.now() - PUBLISHED_AFTER_RETIREMENT,
    )
    return list(session().scalars(select(BundleKey).where(recent).order_by(BundleKey.created_at)))


def context(tenant_id: UUID) -> bytes:
    return PURPOSE + tenant_id.bytes


def key_id(key: BundleKey) -> str:
    return str(key.id)
