"""A new key for the installation: encrypt everything under the old key again, tenant by tenant.

    rotate() -> Rotation      each tenant in a transaction of its own, recorded in its log; if it is
                              killed, run it again

What has to be encrypted again is declared where it is encrypted (`key_encryption.holds`). The old
key may be dropped when a run says that nothing is left under it.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data.db import Tenanted, over_all_tenants, session, transaction
from governance.kernel.safety import key_encryption
from governance.kernel.safety.key_encryption import Holding

ROTATED = action(
    "encryption_key.rotated",
    "rotated the key that encrypts the tenant's keys",
    target="Tenant",
    activity="update",
    severity="medium",
    fields="key_id rewrapped",
)
BATCH_SIZE = 500


@dataclass(slots=True)
class Rotation:
    """The counts of a rotation, by table.

    They are what was encrypted again, what opens with neither key, and what another process has
    encrypted under the old key since.
    """

    rewrapped: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def is_done(self) -> bool:
        return not self.left and not self.lost


def rotate() -> Rotation:
    """Rotate with the new key as the current one and the old one as the previous.

    Then it checks whether anything is left.
    """
    result = Rotation()
    with transaction(read_only=True):
        every = list(tenants.all_tenants())
        session().expunge_all()
    home = next(
        (tenant.id for tenant in every if tenant.kind == "operator"), every[0].id if every else None
    )
    for tenant in every:
        _rotate_one(tenant, home, result)
    for tenant in every:
        with (
            current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)),
            transaction(read_only=True),
        ):
            left, lost = _walk(tenant, home, keep=False)
        result.left.update(left)
        result.lost.update(lost)
    return result


def _rotate_one(tenant: Tenant, home: UUID | None, result: Rotation) -> None:
    with (
        current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)),
        transaction(),
    ):
        renewed, _ = _walk(tenant, home, keep=True)
        if renewed:
            record(ROTATED, tenant, key_id=key_encryption.service().key_id, rewrapped=dict(renewed))
    result.rewrapped.update(renewed)


def _walk(tenant: Tenant, home: UUID | None, *, keep: bool) -> tuple[Counter[str], Counter[str]]:
    """Return (under the old key, under no key that we have), by table.

    Rows of no tenant are handled with the operator's own.
    """
    old, lost = Counter[str](), Counter[str]()
    for holding in key_encryption.holdings:
        if issubclass(holding.model, Tenanted):
            for row in _rows(holding, lock=keep):
                _look(row, holding, old, lost, keep=keep)
        elif tenant.id == home:
            with over_all_tenants():
                for row in _rows(holding, lock=keep):
                    _look(row, holding, old, lost, keep=keep)
    return old, lost


def _look(row: Any, holding: Holding, old: Counter[str], lost: Counter[str], *, keep: bool) -> None:
    sealed = getattr(row, holding.column)
    if not sealed:
        return
    try:
        renewed = key_encryption.service().rewrap(sealed, holding.context(row))
    except InvalidTag:
        lost[row.__tablename__] += 1
        return
    if renewed is not None:
        old[row.__tablename__] += 1
        if keep:
            setattr(row, holding.column, renewed)


def _rows(holding: Holding, *, lock: bool) -> Iterator[Any]:
    """Yield all of them, in batches."""
    model: Any = holding.model
    after = UUID(int=0)
    while True:
        query = select(model).where(model.id > after).order_by(model.id).limit(BATCH_SIZE)
        rows = session().scalars(query.with_for_update(of=model) if lock else query).all()
        yield from rows
        session().flush()
        if len(rows) < BATCH_SIZE:
            return
        after = rows[-1].id
        session().expunge_all()
