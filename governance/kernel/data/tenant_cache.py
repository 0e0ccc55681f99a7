"""Per-tenant cache, invalidated by the tenant's revision.

    recall(key, make, under=…)      the value of `make()`, or the same as it came out earlier under
                                    the same number
    BoundedCache(most)              a bounded cache for several threads; the least recently used
                                    value is evicted first
    forget()                        clear it: after a restore, and in tests whose rows are rolled
                                    back

`under` reads a number that grows with every commit that changes a fact (None: it is unknown, so
nothing is cached). It is read once in a transaction and before the facts, so under READ COMMITTED a
value that is cached under a number is never older than it; a reader of a greater number computes
everything again. A transaction that may write neither uses the cache nor adds to it (its own
uncommitted facts would count), nor does one that sees more than its tenant. Values are shared
between threads and people: nobody changes them.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, event

from governance.kernel import formatting
from governance.kernel.data import db
from governance.kernel.ports import Port

# Tenants that a process caches at once; 60 controls with 500 evidence items take 1.6 MB.
MAX_TENANTS = 32
MAX_VALUES_PER_TENANT = 64  # Values per tenant.
type Number = tuple[int, ...]  # Each part only grows.


def _unknown() -> Number | None:
    return None


log_number: Port[Callable[[], Number | None]] = Port(
    "a number that grows with every change of the tenant's facts", default=_unknown
)


class BoundedCache:
    """Values by key. Two threads may both compute one; both then get the one that was stored first.

    `most` is how many there are at most, or their total weight.
    """

    __slots__ = ("_held", "_lock", "_most", "_weigh", "_weight")

    def __init__(self, most: int, weigh: Callable[[Any], int] = lambda _value: 1) -> None:
        self._held: OrderedDict[Hashable, Any] = OrderedDict()
        self._most, self._weigh, self._weight, self._lock = most, weigh, 0, Lock()

    def get[T](self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                found: T = self._held[key]
                return found
        return self.put(key, make())

    def find(self, key: Hashable) -> Any:
        """Return the value of a key; None without one."""
        with self._lock:
            found = self._held.get(key)
            if found is not None:
                self._held.move_to_end(key)
            return found

    def put[T](self, key: Hashable, value: T) -> T:
        with self._lock:
            if key not in self._held:
                self._weight += self._weigh(value)
            kept: T = self._held.setdefault(key, value)
            self._held.move_to_end(key)
            while self._weight > self._most:
                self._weight -= self._weigh(self._held.popitem(last=False)[1])
            return kept

    def clear(self) -> None:
        with self._lock:
            self._held.clear()
            self._weight = 0

    def __len__(self) -> int:
        return len(self._held)


class _Known:
    """The cached values of one tenant under one number."""

    __slots__ = ("number", "values")

    def __init__(self, number: Number) -> None:
        self.number, self.values = number, BoundedCache(MAX_VALUES_PER_TENANT)


_tenants: OrderedDict[UUID, _Known] = OrderedDict()
_lock = Lock()


def recall[T](key: Hashable, make: Callable[[], T], *, under: Callable[[], Number | None]) -> T:
    """Return what `make` computes from the current tenant's facts, from the cache if possible.

    The value must follow from the facts and from `key` alone.
    """
    known = _known(under)
    if known is not None and (found := known.values.find(key)) is not None:
        kept: T = found
        return kept
    with formatting.as_tenant():  # Everybody in the tenant reads the cached value.
        return make() if known is None else known.values.get(key, make)


def _known(under: Callable[[], Number | None]) -> _Known | None:
    """Return the cache that this transaction may use; None if it may not use any."""
    info = db.info()
    if not info.get("may_recall"):
        return None
    if "known" not in info:
        number = under()
        info["known"] = None if number is None else _under(info["tenant_id"], number)
    found: _Known | None = info["known"]
    return found


def _under(tenant_id: UUID, number: Number) -> _Known | None:
    """Return the tenant's values of this number, or None if a newer number has replaced them."""
    with _lock:
        known = _tenants.get(tenant_id)
        if known is None or (
            known.number != number
            and all(ours >= theirs for ours, theirs in zip(number, known.number, strict=True))
        ):
            known = _tenants[tenant_id] = _Known(number)
        _tenants.move_to_end(tenant_id)
        while len(_tenants) > MAX_TENANTS:
            _tenants.popitem(last=False)
        return known if known.number == number else None


@event.listens_for(Engine, "engine_disposed")
def _disposed(_engine: Engine) -> None:
    """Clear the cache when the kernel drops its connections because the database went away.

    The database that comes back may be an older one.
    """
    forget()


def forget() -> None:
    with _lock:
        _tenants.clear()


__all__ = ["BoundedCache", "Number", "forget", "log_number", "recall"]
