"""A query that several parts of a page ask is read once.

    @read_once               above a function that reads, of arguments that can be keys
    keep(query, answer, …)   what it would read, where a statement for several has read it
    known(query, …)          what an earlier call got, where this transaction keeps it

In a transaction that may only read, later calls with the same arguments, by the same person, get
what the first one got: nobody changes it. In a transaction that may write, each call reads.
"""

from collections.abc import Callable
from functools import wraps

from governance.kernel import current, db

READ = "read once"  # in the transaction's info


def read_once[**P, T](query: Callable[P, T]) -> Callable[P, T]:
    @wraps(query)
    def asked(*args: P.args, **kwargs: P.kwargs) -> T:
        info = db.info()
        if not info.get("only_reads"):
            return query(*args, **kwargs)
        kept: dict[object, T] = info.setdefault(READ, {})
        key = _key(query, args, kwargs)
        if key not in kept:
            kept[key] = query(*args, **kwargs)
        return kept[key]

    return asked


def keep(asked: Callable[..., object], answer: object, *args: object, **kwargs: object) -> None:
    """Say what a query marked `@read_once` would read, where another statement has read it."""
    db.info().setdefault(READ, {})[_key(vars(asked)["__wrapped__"], args, kwargs)] = answer


def is_kept(asked: Callable[..., object], *args: object, **kwargs: object) -> bool:
    """Whether this transaction has read it, for the same person and arguments."""
    return _key(vars(asked)["__wrapped__"], args, kwargs) in db.info().get(READ, {})


def known[T](query: Callable[..., T], *args: object, **kwargs: object) -> T | None:
    """Return what `query`, which is read once, has read for these arguments; None if it hasn't."""
    kept: dict[object, T] = db.info().get(READ, {})
    return kept.get(_key(vars(query)["__wrapped__"], args, kwargs))


def _key(query: object, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
    return query, current.actor_or_none(), args, frozenset(kwargs.items())
