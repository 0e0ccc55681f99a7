"""Makes an evidence package in the background, and shuts the door when windows close.

A package is whole or there is none.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from governance.assurance.engagements import actions, package_signature, packages, queries
from governance.assurance.engagements.bagit import MOST_FILES, Bag, NotWhole, Payload
from governance.assurance.engagements.package_contents import LOG, Contents, PackagedFile, gather
from governance.foundation.audit import logs
from governance.foundation.audit import queries as audit
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, stream
from governance.foundation.logbook.filters import Filters
from governance.foundation.tenants.for_each_tenant import in_each, once_a_day_in_each
from governance.kernel import background_work, clock, current, storage
from governance.kernel.background_work import PacedProgress, keep, target_of
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound, Unavailable
from governance.kernel.formatting import thousands
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.streamed_files import reading

KIB = 1024
FEW = 10  # files that every package has: index, log, tag files
# bytes that one place of the log is counted for: what it weighs is known only when it is written
PLACE = 512


@dataclass(frozen=True, slots=True)
class Order:
    """What is made, fixed at its beginning."""

    package_id: UUID
    contents: Contents
    plan: ExportPlan
    checkpoint: int
    info: dict[str, str]


@work(packages.PACKAGES.name)
def make_package(item: WorkItem, progress: Progress) -> None:
    """The work of one EvidencePackage (item.target_id)."""
    package_id, who = target_of(packages.PACKAGES, item), current.actor()
    progress(0, 1, "Collecting the contents")
    with transaction(read_only=True, snapshot=True) as reading_of:
        order = _order(package_id)
        reading_of.expunge_all()
    if order is None:
        return
    _still_inside(who)
    bag, telling = Bag(order.contents.name, order.info), _Telling(progress, order)
    made = reading(bag.pieces(_payload(order, telling), lambda digest: _signed(order, digest)))
    keep(packages.PACKAGES, item, made, lambda blob: _file(blob, order, files=len(bag.digests)))


def _file(blob: storage.Blob, order: Order, *, files: int) -> bool:
    """Only with this is there a package. False when another process was sooner."""
    _still_inside(current.actor())
    package = queries.locked_package(order.package_id)
    held = queries.engagement(package.engagement_id)
    return packages.file_package(package, held, blob, files=files, checkpoint=order.checkpoint)


def sweep() -> int:
    """Nightly, of the acting tenant: remove stored packages that no row names; how many."""
    return background_work.sweep(packages.PACKAGES)


def tidy_packages() -> None:
    """Nightly: remove stored packages that no row names, which a killed process left."""
    once_a_day_in_each("tidy packages", sweep)


def _still_inside(who: current.Actor) -> None:
    if who.role != "auditor":
        return
    with transaction(read_only=True):
        if not queries.may_enter(who, clock.now()):
            raise Forbidden("The requester's engagement has ended. No package was generated.")


def _order(package_id: UUID) -> Order | None:
    """What to make; None when an earlier try has filed it."""
    package = queries.packaged(package_id)
    if package.storage_key is not None:
        return None
    mark, held = audit.last_checkpoint(), queries.engagement(package.engagement_id)
    if mark is None or not mark.size:
        raise Unavailable("The audit log has no signed checkpoint yet. Try again in a minute.")
    who, keys = current.actor(), [str(logs.verifier(key)) for key in logs.all_keys()]
    filters = Filters(since=held.period_from)
    plan = ExportPlan("jsonl", filters, who.time_zone, mark.origin, mark.size, mark.note)
    info = {
        "Source-Organization": who.tenant_name,
        "External-Identifier": held.ref,
        "Bagging-Date": clock.today().isoformat(),
        "External-Description": (
            f"Evidence for {held.firm}, {held.period_from.isoformat()} to"
            f" {held.period_to.isoformat()}"
        ),
        "Bag-Software-Agent": "Meridian",
    }
    contents = gather(held, keys, mark.note)
    if len(contents.stored) + len(contents.generated) > MOST_FILES - FEW:
        raise NotWhole(
            f"{thousands(len(contents.stored))} files are in scope, but a package can contain up to"
            f" {thousands(MOST_FILES)}. Narrow the criteria or the period."
        )
    return Order(package_id, contents, plan, mark.number, info)


def _payload(order: Order, telling: "_Telling") -> Iterator[Payload]:
    """Evidence first, since it is what may be missing; then the log, then what was made from the
    data.
    """
    for number, each in enumerate(order.contents.stored, start=1):
        telling.at(number, each)
        yield Payload(each.path, partial(_bytes, each, telling), sha256=each.version.sha256)
    yield Payload(
        LOG,
        lambda: storage.in_pieces(stream(order.plan, ExportProgress(), telling.log)),
        packed=True,
    )
    yield from order.contents.payload()
    telling.end()  # the last moment to cancel: from here on the package is kept


def _bytes(each: PackagedFile, telling: "_Telling") -> Iterator[bytes]:
    """The file as it was brought in.

    One that is not there, or cannot be read, ends it all and is named.
    """
    with _named_after(each):
        pieces = storage.in_pieces(storage.store().open(each.version.storage_key or ""))
    while True:
        with _named_after(each):
            piece = next(pieces, None)
        if piece is None:
            return
        telling.add(len(piece))
        yield piece


@contextmanager
def _named_after(each: PackagedFile) -> Iterator[None]:
    """What goes wrong with the store is told with the file's name; what is merely away may be tried
    again.
    """
    try:
        yield
    except NotFound:
        raise NotWhole(f"{each.path} is missing from storage. No package was generated.") from None
    except Unavailable as away:
        raise Unavailable(f"{each.path}: {away.message}") from away
    except DomainError as problem:
        raise NotWhole(
            f"{each.path} can't be read: {problem.message} No package was generated."
        ) from problem
    except OSError as problem:
        raise Unavailable(f"{each.path} can't be read ({problem.strerror}).") from problem


def _signed(order: Order, digest: str) -> str:
    with transaction(read_only=True):
        key = logs.signing_key()
        if key is None:
            raise Unavailable("The audit log has no signing key yet. Try again in a minute.")
        private, name = logs.private_key(key), key.name
        session().expunge_all()
    return package_signature.sign(
        private, name, package_signature.Note(order.contents.name, digest)
    )


class _Telling:
    """How far it is, in kilobytes: files by the bytes that went by, the log by its places, in the
    order in which they come.
    """

    def __init__(self, progress: Progress, order: Order) -> None:
        self._progress, self._files = PacedProgress(progress), len(order.contents.stored)
        self._evidence, self._log = order.contents.octets, PLACE * order.plan.size
        self._total = (self._evidence + self._log) // KIB + 1
        self._octets, self._step = 0, ""

    def at(self, number: int, each: PackagedFile) -> None:
        self._step = (
            f"Adding file {thousands(number)} of {thousands(self._files)}:"
            f" {each.path.rsplit('/', 2)[1]}"
        )
        self.beat()

    def add(self, octets: int) -> None:
        self._octets += octets
        self.beat()

    def log(self, place: int) -> None:
        self._step, self._octets = (
            "Adding the audit log and its proofs",
            self._evidence + PLACE * place,
        )
        self.beat()

    def end(self) -> None:
        self._step, self._octets = "Signing and storing", self._total * KIB
        self.beat(always=True)

    def beat(self, *, always: bool = False) -> None:
        """The last kilobyte is told by the filing alone."""
        self._progress(
            min(self._octets // KIB, self._total - 1), self._total, self._step, always=always
        )


# ---- windows


def end_sessions_of_closed_windows() -> None:
    """Every few seconds: end the sessions of auditors whose window has closed.

    Each request checks the window by itself.

    One question over all tenants; only those with a window that has just closed get a transaction.
    """
    with transaction(read_only=True):
        closed = set(queries.just_closed(clock.now()))
    if closed:
        in_each(_end_sessions, "sessions of auditors not ended", wanted=lambda t: t.id in closed)


def _end_sessions() -> None:
    with transaction():
        actions.end_expired_sessions()
