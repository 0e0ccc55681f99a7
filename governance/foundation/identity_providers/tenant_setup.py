"""Create a tenant with its identity provider and first admin from a shell, before anyone can sign in.

    create(wanted, public_url=…, dry_run=…) -> TenantSetUp      everything, or nothing

The provider is tested before anything is saved, as "Test this connection" tests it.
"""

import re
from dataclasses import dataclass, replace

from sqlalchemy.exc import IntegrityError

from governance.foundation.identity_providers import connection_actions
from governance.foundation.identity_providers.connection_settings import ConnectionSettings
from governance.foundation.people import (
    connection_check,
    invitation_actions,
    provider_http,
    sign_in_state,
)
from governance.foundation.people.forms import ADDRESS
from governance.foundation.people.oidc_types import OidcClient
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.web.identity import OPERATOR_SLUG

MAX_NAME_LENGTH, MAX_CLIENT_LENGTH, MAX_EMAIL_LENGTH = 120, 200, 254
PRINTABLE = re.compile(r"[\x20-\x7e]+")


class OperatorExists(DomainError):
    """The operator's tenant is created once."""


@dataclass(frozen=True, slots=True)
class WantedTenant:
    """The tenant to create. People of its work `domains` sign in by this provider."""

    slug: str
    name: str
    kind: str  # One of: operator customer.
    issuer: str
    client_id: str
    secret: str
    domains: frozenset[str]
    admin: str  # The email address of the first admin.
    verifies_addresses: bool = False


@dataclass(frozen=True, slots=True)
class TenantSetUp:
    """The tenant that was created, or would be."""

    redirect_address: str
    sign_in_address: str
    steps: tuple[str, ...]  # Sentences that describe the test of the provider.


def create(wanted: WantedTenant, *, public_url: str, dry_run: bool = False) -> TenantSetUp:
    """Create the tenant. Raises DomainError, and then nothing was saved."""
    _check_words(wanted)
    with transaction(read_only=True):
        _check_directory(wanted)
    result = TenantSetUp(
        f"{public_url}{sign_in_state.callback_path(wanted.slug)}",
        f"{public_url}/login?tenant={wanted.slug}",
        _test_provider(wanted, f"{public_url}{sign_in_state.callback_path(wanted.slug)}"),
    )
    if not dry_run:
        try:
            _save(wanted, result.sign_in_address)
        except IntegrityError as error:
            raise DomainError(
                "Someone else created a tenant with the same slug or domain meanwhile."
            ) from error
    return result


def _check_words(wanted: WantedTenant) -> None:
    if not queries.SLUG.fullmatch(wanted.slug):
        raise Invalid(
            f"{wanted.slug[:80]} isn't a slug. Use lowercase letters, digits and hyphens, starting"
            " with a letter.",
            field="slug",
        )
    if wanted.kind == "operator" and wanted.slug != OPERATOR_SLUG:
        raise Invalid(f"The operator's slug is always {OPERATOR_SLUG}.", field="slug")
    if wanted.kind != "operator" and wanted.slug == OPERATOR_SLUG:
        raise Invalid(
            f"The slug {OPERATOR_SLUG} belongs to the operator. Choose another.", field="slug"
        )
    if (
        not (wanted.name.strip() and wanted.name.isprintable())
        or len(wanted.name) > MAX_NAME_LENGTH
    ):
        raise Invalid(
            f"The name must have 1 to {MAX_NAME_LENGTH} printable characters.", field="name"
        )
    for field, value in (("client ID", wanted.client_id), ("client secret", wanted.secret)):
        if not PRINTABLE.fullmatch(value) or len(value) > MAX_CLIENT_LENGTH:
            raise Invalid(
                f"The {field} must have 1 to {MAX_CLIENT_LENGTH} plain (ASCII) characters."
            )
    if not re.fullmatch(ADDRESS, wanted.admin) or len(wanted.admin) > MAX_EMAIL_LENGTH:
        raise Invalid(
            f"{wanted.admin[:80]} isn't an email address. Enter one such as ines@acme.example.",
            field="admin",
        )
    if not wanted.domains:
        raise Invalid("Name a work domain, so that people find their sign-in.", field="domain")
    if wanted.admin.rpartition("@")[2].lower() not in {d.lower() for d in wanted.domains}:
        raise Invalid(
            f"{wanted.admin} isn't in a work domain ({', '.join(sorted(wanted.domains))}). The"
            " first admin signs in through this provider, so name their domain too.",
            field="admin",
        )


def _check_directory(wanted: WantedTenant) -> None:
    operator = next((t for t in queries.all_tenants() if t.kind == "operator"), None)
    if wanted.kind == "operator" and operator is not None:
        raise OperatorExists(
            f"This installation has an operator already: {operator.name} ({operator.slug})."
        )
    if wanted.kind != "operator" and operator is None:
        raise DomainError(
            "This installation has no operator yet. Run governance operator create first."
        )
    if queries.any_tenant_by_slug(wanted.slug) is not None:
        raise tenants.SlugTaken(
            f"The slug {wanted.slug} is already in use. Choose another.", field="slug"
        )
    tenants.check_free_domains(set(wanted.domains))


def _test_provider(wanted: WantedTenant, redirect_address: str) -> tuple[str, ...]:
    """Return what the test found. Raises Invalid for the first step that fails."""
    try:
        provider_http.safe_url(wanted.issuer, private_origin=provider_http.origin_of(wanted.issuer))
    except provider_http.ProviderFault as fault:
        raise Invalid(fault.message, field="issuer") from fault
    client = OidcClient(
        wanted.issuer, wanted.client_id, wanted.secret, redirect_address, named_by_operator=True
    )
    steps = connection_check.diagnose(client)
    for step in steps:
        if not step["ok"] and not step.get("optional"):
            raise Invalid(
                f"The identity provider failed the test. {step['says']}: {step['detail']}"
            )
    return tuple(f"{step['says']}: {step['detail'] or 'announced'}" for step in steps)


def _save(wanted: WantedTenant, link: str) -> None:
    who = system_actor_in(uuid7(), wanted.slug, wanted.name)
    if wanted.kind == "operator":
        who = replace(who, role="operator_admin")
    settings = ConnectionSettings(
        wanted.issuer, wanted.client_id, True, {}, wanted.verifies_addresses
    )
    with current.acting_as(who), transaction():
        tenant = tenants.add_tenant(who.tenant_id, wanted.slug, wanted.name, kind=wanted.kind)
        connection_actions.set_up(settings, secret=wanted.secret)
        tenants.set_domains(tenant, set(wanted.domains))
        invitation_actions.make_admin(
            wanted.admin, wanted.issuer, tenant_name=wanted.name, link=link
        )
