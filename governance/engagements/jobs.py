"""Makes an evidence package in the background, and shuts the door when windows close. A package is whole or there is none."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from governance.audit import logs
from governance.audit import queries as audit
from governance.engagements import actions, package_note, permissions, queries
from governance.engagements.bag import Bag, NotWhole, Payload, reading
from governance.engagements.contents import LOG, Contents, Stored, gather
from governance.kernel import access, clock, current, storage
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound, Unavailable
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.words import thousands
from governance.logbook.exporting import Plan, Tally, stream
from governance.logbook.filters import Filters

LIMIT = 64 * 1024**3
PAUSE = 0.3  # seconds between two words of progress: each is a small transaction
KIB = 1024


@dataclass(frozen=True, slots=True)
class Order:
    """What is made, fixed at its beginning."""

    contents: Contents
    plan: Plan
    checkpoint: int
    info: dict[str, str]


@work("evidence package")
def make_package(item: WorkItem, progress: Progress) -> None:
    """The work of one EvidencePackage (item.target_id)."""
    if item.target_id is None:
        raise RuntimeError("a package's work names its package")
    who = current.actor()
    if who.person_id != item.asked_by:
        raise Forbidden("Whoever asked for this package is no longer a member. No package was made.")
    access.require(permissions.PACKAGE)
    progress(0, 1, "Reading what belongs into it")
    with transaction(read_only=True, snapshot=True) as reading_of:
        order = _order(item.target_id)
        reading_of.expunge_all()
    if order is None:
        return
    _still_inside(who)
    bag = Bag(order.contents.name, order.info)
    telling = _Telling(progress, order.contents.octets // KIB + 1, len(order.contents.stored))
    made = reading(bag.pieces(_payload(order, telling), lambda digest: _signed(order, digest)))
    blob = storage.store().write(item.tenant_id, made, limit=LIMIT)
    with transaction():
        _still_inside(who)
        package = queries.locked_package(item.target_id)
        held = queries.engagement(package.engagement_id)
        actions.file_package(package, held, blob, files=len(bag.digests), checkpoint=order.checkpoint)


def _still_inside(who: current.Actor) -> None:
    if who.role != "auditor":
        return
    with transaction(read_only=True):
        if not queries.may_enter(who, clock.now()):
            raise Forbidden("The engagement of whoever asked is over. No package was made.")


def _order(package_id: UUID) -> Order | None:
    """What to make; None when an earlier try has filed it."""
    package = queries.packaged(package_id)
    if package.storage_key is not None:
        return None
    mark, held = audit.last_checkpoint(), queries.engagement(package.engagement_id)
    if mark is None or not mark.size:
        raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
    who, keys = current.actor(), [str(logs.verifier(key)) for key in logs.all_keys()]
    filters = Filters(since=held.period_from)
    plan = Plan("jsonl", filters, who.time_zone, mark.origin, mark.size, mark.note)
    info = {
        "Source-Organization": who.tenant_name, "External-Identifier": held.ref, "Bagging-Date": clock.today().isoformat(),
        "External-Description": f"Evidence for {held.firm}, {held.period_from.isoformat()} to {held.period_to.isoformat()}",
        "Bag-Software-Agent": "governance console",
    }  # fmt: skip
    return Order(gather(held, keys, mark.note), plan, mark.number, info)


def _payload(order: Order, telling: "_Telling") -> Iterator[Payload]:
    """Evidence first, since it is what may be missing; then the log, then what was made from the data."""
    for number, each in enumerate(order.contents.stored, start=1):
        telling.at(number, each)
        yield Payload(each.path, lambda each=each: _bytes(each, telling), sha256=each.version.sha256)  # type: ignore[misc]  # bound at once
    telling.log()
    yield Payload(LOG, lambda: storage.in_pieces(stream(order.plan, Tally(), lambda _at: telling.beat())), packed=True)
    yield from order.contents.payload()
    telling.end()  # the last moment to cancel: from here on the package is kept


def _bytes(each: Stored, telling: "_Telling") -> Iterator[bytes]:
    """The file as it was brought in. One that is not there ends it all."""
    try:
        file = storage.store().open(each.version.storage_key or "")
    except NotFound:
        raise NotWhole(f"{each.path} is missing from the store. No package was made.") from None
    try:
        for piece in storage.in_pieces(file):
            telling.add(len(piece))
            yield piece
    except Unavailable:
        raise
    except DomainError as problem:
        raise NotWhole(f"{each.path} cannot be read: {problem.message} No package was made.") from problem


def _signed(order: Order, digest: str) -> str:
    with transaction(read_only=True):
        key = logs.signing_key()
        if key is None:
            raise Unavailable("The log has no key yet. It gets one in a moment.")
        private, name = logs.private_key(key), key.name
        session().expunge_all()
    return package_note.sign(private, name, package_note.Note(order.contents.name, digest))


class _Telling:
    """How far it is: kilobytes of evidence, since that is where the time goes."""

    def __init__(self, progress: Progress, total: int, files: int) -> None:
        self._progress, self._total, self._files = progress, total, files
        self._octets, self._step, self._last = 0, "", 0.0

    def at(self, number: int, each: Stored) -> None:
        self._step = f"File {thousands(number)} of {thousands(self._files)}: {each.path.rsplit('/', 2)[1]}"
        self.beat()

    def add(self, octets: int) -> None:
        self._octets += octets
        self.beat()

    def log(self) -> None:
        self._step = "The audit log and its proofs"
        self.beat()

    def end(self) -> None:
        self._step, self._last = "Signing and storing", 0.0
        self.beat()

    def beat(self) -> None:
        if time.monotonic() - self._last > PAUSE:
            self._last = time.monotonic()
            self._progress(min(self._octets // KIB, self._total), self._total, self._step)


# ---- windows


def tenants_to_shut() -> Sequence[UUID]:
    """Whose auditors may still have a session though a window has closed; needs a transaction of no tenant."""
    return queries.just_closed(clock.now())


def shut_doors() -> None:
    """Of the acting tenant: sessions of auditors whose engagements are over or not open yet."""
    actions.shut_out()
