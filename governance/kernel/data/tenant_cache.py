"""What was worked out of a tenant's committed facts, kept in this process until the tenant commits
anything more.

    recall(key, make, under=…)      the value of `make()`, or the same as it came out earlier under
                                    the same number
    Shelf(most)                     a bounded memory for several threads; the least recently used
                                    goes first
    forget()                        all of it: a database that was brought back, tests whose rows
                                    are rolled back

`under` reads a number that grows with every commit that changes a fact (None: it cannot tell, so
nothing is kept). It is read once in a transaction and before the facts, so under READ COMMITTED
what is kept under a number is never older than it; a reader of a greater number computes everything
again. A transaction that may write neither uses the memory nor adds to it (its own uncommitted
facts would count), nor does one that sees more than its tenant. Values are shared between threads
and people: nobody changes them.
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

# of which a process keeps anything at once; 60 controls with 500 evidence items take 1.6 MB
MAX_TENANTS = 32
MAX_VALUES_PER_TENANT = 64  # values of one tenant
type Number = tuple[int, ...]  # each part only grows


def _unknown() -> Number | None:
    return None


log_number: Port[Callable[[], Number | None]] = Port(
    "a number that grows with every change of the tenant's facts", default=_unknown
)


class BoundedCache:
    """Values by key. Two threads may both make one; both then get the one that was there first.

    `most` is how many, or how much they weigh together.
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
        """The value of a key; None without one."""
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
    """What is known of one tenant under one number."""

    __slots__ = ("number", "values")

    def __init__(self, number: Number) -> None:
        self.number, self.values = number, BoundedCache(MAX_VALUES_PER_TENANT)


_tenants: OrderedDict[UUID, _Known] = OrderedDict()
_lock = Lock()


def recall[T](key: Hashable, make: Callable[[], T], *, under: Callable[[], Number | None]) -> T:
    """What `make` says of the present tenant's facts; it must follow from them and from `key`
    alone.
    """
    known = _known(under)
    if known is not None and (found := known.values.find(key)) is not None:
        kept: T = found
        return kept
    with formatting.as_tenant():  # what is kept is read by everybody
        return make() if known is None else known.values.get(key, make)


def _known(under: Callable[[], Number | None]) -> _Known | None:
    """Where this transaction may look and leave things; None where it may not."""
    info = db.info()
    if not info.get("may_recall"):
        return None
    if "known" not in info:
        number = under()
        info["known"] = None if number is None else _under(info["tenant_id"], number)
    found: _Known | None = info["known"]
    return found


def _under(tenant_id: UUID, number: Number) -> _Known | None:
    """A number that another transaction has overtaken leaves what that one keeps alone."""
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
    """The kernel drops its connections when the database went away; what comes back may be an older
    one.
    """
    forget()


def forget() -> None:
    with _lock:
        _tenants.clear()


__all__ = ["BoundedCache", "Number", "forget", "log_number", "recall"]
