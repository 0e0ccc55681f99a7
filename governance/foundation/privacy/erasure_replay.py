"""Repeat erasures after a restore, since the backup may be older than they are.

pending() -> erasures of the list that this database has not done; while there are any, nothing may
             be served
replay()  -> carries all of them out, tenant by tenant. Idempotent.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import select

from governance.foundation.people import queries as people
from governance.foundation.privacy import erasure_actions, erasure_list
from governance.foundation.privacy.erasure_list import ListedErasure
from governance.foundation.privacy.models import Erasure
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.formatting import plural

IN_HAND = (
    "approved",
    "done",
)  # An approved erasure is in the queue, which the database restores too.


def pending() -> Sequence[ListedErasure]:
    """Return the erasures to repeat. Cheap: it reads the list and queries each tenant on it once.

    A tenant that is not here has nothing to erase.
    """
    by_tenant: dict[UUID, list[ListedErasure]] = defaultdict(list)
    for listed in erasure_list.everything():
        by_tenant[listed.tenant_id].append(listed)
    return [
        listed
        for tenant in _tenants(by_tenant)
        for listed in _not_done(tenant.id, by_tenant[tenant.id])
    ]


def refusal(waiting: Sequence[ListedErasure]) -> str:
    """Return why nothing starts."""
    return (
        "This database was restored from a backup that is older than"
        f" {plural(len(waiting), 'erasure')} on the erasure list. Run `governance privacy replay`,"
        " then start again."
    )


def replay() -> Sequence[ListedErasure]:
    """Repeat the pending erasures and return them."""
    waiting = pending()
    homes = {tenant.id: tenant for tenant in _tenants({listed.tenant_id for listed in waiting})}
    for listed in waiting:
        home = homes[listed.tenant_id]
        with current.acting_as(system_actor_in(home.id, home.slug, home.name)):
            _again(listed)
    return waiting


def _again(listed: ListedErasure) -> None:
    with transaction(read_only=True):
        member = people.by_pseudonym(listed.subject)
        person_id = member.person_id if member else None
    with transaction(person_id=person_id):
        erasure_actions.erase_again(listed, people.by_pseudonym(listed.subject))


def _tenants(wanted: dict[UUID, list[ListedErasure]] | set[UUID]) -> Iterator[Tenant]:
    if not wanted:
        return
    with transaction(read_only=True):
        here = [tenant for tenant in tenants.living_tenants() if tenant.id in wanted]
        session().expunge_all()
    yield from here


def _not_done(tenant_id: UUID, listed: list[ListedErasure]) -> Iterator[ListedErasure]:
    ids = [each.erasure_id for each in listed]
    with transaction(read_only=True, tenant_id=tenant_id):
        done = set(
            session().scalars(
                select(Erasure.id).where(Erasure.id.in_(ids), Erasure.state.in_(IN_HAND))
            )
        )
    yield from (each for each in listed if each.erasure_id not in done)
