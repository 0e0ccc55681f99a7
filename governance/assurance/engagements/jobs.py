"""Jobs that generate evidence packages and end sessions when access windows close."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.packages import queries as package_queries
from governance.assurance.engagements.packages import signature as package_signature
from governance.assurance.engagements.packages.bagit import (
    MAX_FILES,
    Bag,
    IncompletePackage,
    Payload,
)
from governance.assurance.engagements.packages.contents import (
    LOG_EXTRACT,
    PackageContents,
    PackagedFile,
    gather,
)
from governance.foundation.audit import logs
from governance.foundation.audit import queries as audit
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, stream
from governance.foundation.logbook.filters import Filters
from governance.foundation.tenants.for_each_tenant import in_each, once_a_day_in_each
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound, Unavailable
from governance.kernel.files import storage
from governance.kernel.files.streamed_files import reading
from governance.kernel.formatting import thousands
from governance.kernel.work import background_work
from governance.kernel.work.background_work import PacedProgress, keep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work

KIBIBYTE = 1024
FIXED_FILES = 10  # Files that every package has, such as the index, the log and the tag files.
# Estimate for the progress bar: the real size is known only after the entry is written.
BYTES_PER_LOG_ENTRY = 512


@dataclass(frozen=True, slots=True)
class PackageOrder:
    """The contents of a package to generate, fixed when the work starts."""

    package_id: UUID
    contents: PackageContents
    plan: ExportPlan
    checkpoint: int
    has_names: bool
    info: dict[str, str]


@work(packages.PACKAGES.name)
def make_package(item: WorkItem, progress: Progress) -> None:
    """Generate and store the EvidencePackage with the id item.target_id."""
    package_id, who = target_of(packages.PACKAGES, item), current.actor()
    progress(0, 1, "Collecting the contents")
    with transaction(read_only=True, snapshot=True) as reading_of:
        order = _prepare_order(package_id)
        reading_of.expunge_all()
    if order is None:
        return
    _check_access(who)
    bag, telling = Bag(order.contents.name, order.info), _PackageProgress(progress, order)
    made = reading(bag.pieces(_payload(order, telling), lambda digest: _sign(order, digest)))
    keep(packages.PACKAGES, item, made, lambda blob: _save(blob, order, files=len(bag.digests)))


def _save(blob: storage.Blob, order: PackageOrder, *, files: int) -> bool:
    """Save the package. Return False if another process has saved it."""
    _check_access(current.actor())
    package = package_queries.lock_package(order.package_id)
    engagement = queries.engagement(package.engagement_id)
    return packages.save_package(
        package,
        engagement,
        blob,
        files=files,
        checkpoint=order.checkpoint,
        has_names=order.has_names,
    )


def remove_unreferenced_packages() -> int:
    """Remove the tenant's stored packages that no row refers to, and return their number."""
    return background_work.sweep(packages.PACKAGES)


def remove_unreferenced_packages_daily() -> None:
    """Remove, every night, stored packages that a killed process left behind."""
    once_a_day_in_each("tidy packages", remove_unreferenced_packages)


def _check_access(who: current.Actor) -> None:
    if who.role != "auditor":
        return
    with transaction(read_only=True):
        if not queries.has_access(who, clock.now()):
            raise Forbidden("The requester's engagement has ended. No package was generated.")


def _prepare_order(package_id: UUID) -> PackageOrder | None:
    """Return the contents to generate, or None if an earlier attempt saved the package."""
    package = package_queries.package_by_id(package_id)
    if package.storage_key is not None:
        return None
    mark, engagement = audit.last_checkpoint(), queries.engagement(package.engagement_id)
    if mark is None or not mark.size:
        raise Unavailable("The audit log has no signed checkpoint yet. Try again in a minute.")
    who, keys = current.actor(), [str(logs.verifier(key)) for key in logs.all_keys()]
    filters = Filters(since=engagement.period_from)
    plan = ExportPlan("jsonl", filters, who.time_zone, mark.origin, mark.size, mark.note)
    info = {
        "Source-Organization": who.tenant_name,
        "External-Identifier": engagement.ref,
        "Bagging-Date": clock.today().isoformat(),
        "External-Description": (
            f"Evidence for {engagement.firm}, {engagement.period_from.isoformat()} to"
            f" {engagement.period_to.isoformat()}"
        ),
        "Bag-Software-Agent": "Meridian",
    }
    contents = gather(engagement, keys, audit.cosigned_note(mark))
    if len(contents.stored) + len(contents.generated) > MAX_FILES - FIXED_FILES:
        raise IncompletePackage(
            f"{thousands(len(contents.stored))} files are in scope, but a package can contain up to"
            f" {thousands(MAX_FILES)}. Narrow the criteria or the period."
        )
    return PackageOrder(package_id, contents, plan, mark.number, engagement.shows_names, info)


def _payload(order: PackageOrder, telling: "_PackageProgress") -> Iterator[Payload]:
    """Yield the evidence first, since a file may be missing, then the log and the other files."""
    for number, each in enumerate(order.contents.stored, start=1):
        telling.at(number, each)
        yield Payload(
            each.path, partial(_evidence_bytes, each, telling), sha256=each.version.sha256
        )
    yield Payload(
        LOG_EXTRACT,
        lambda: storage.in_pieces(stream(order.plan, ExportProgress(), telling.log)),
        packed=True,
    )
    yield from order.contents.payload()
    telling.end()  # The last chance to cancel: after this the package is stored.


def _evidence_bytes(each: PackagedFile, telling: "_PackageProgress") -> Iterator[bytes]:
    """Yield the stored file in pieces. Errors name the file that is missing or unreadable."""
    with _naming_file(each):
        pieces = storage.in_pieces(storage.store().open(each.version.storage_key or ""))
    while True:
        with _naming_file(each):
            piece = next(pieces, None)
        if piece is None:
            return
        telling.add(len(piece))
        yield piece


@contextmanager
def _naming_file(each: PackagedFile) -> Iterator[None]:
    """Name the file in storage errors.

    Raises IncompletePackage, or Unavailable if a retry may help.
    """
    try:
        yield
    except NotFound:
        raise IncompletePackage(
            f"{each.path} is missing from storage. No package was generated."
        ) from None
    except Unavailable as away:
        raise Unavailable(f"{each.path}: {away.message}") from away
    except DomainError as problem:
        raise IncompletePackage(
            f"{each.path} can't be read: {problem.message} No package was generated."
        ) from problem
    except OSError as problem:
        raise Unavailable(f"{each.path} can't be read ({problem.strerror}).") from problem


def _sign(order: PackageOrder, digest: str) -> str:
    with transaction(read_only=True):
        key = logs.signing_key()
        if key is None:
            raise Unavailable("The audit log has no signing key yet. Try again in a minute.")
        private, name = logs.private_key(key), key.name
        session().expunge_all()
    return package_signature.sign(
        private, name, package_signature.PackageNote(order.contents.name, digest)
    )


class _PackageProgress:
    """Progress in KiB: the bytes of files, and an estimate for each log entry."""

    def __init__(self, progress: Progress, order: PackageOrder) -> None:
        self._progress, self._files = PacedProgress(progress), len(order.contents.stored)
        self._evidence, self._log = order.contents.octets, BYTES_PER_LOG_ENTRY * order.plan.size
        self._total = (self._evidence + self._log) // KIBIBYTE + 1
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
            self._evidence + BYTES_PER_LOG_ENTRY * place,
        )
        self.beat()

    def end(self) -> None:
        self._step, self._octets = "Signing and storing", self._total * KIBIBYTE
        self.beat(always=True)

    def beat(self, *, always: bool = False) -> None:
        """Report progress, but never 100%: only saving the package completes it."""
        self._progress(
            min(self._octets // KIBIBYTE, self._total - 1), self._total, self._step, always=always
        )


# ---- Access windows


def end_sessions_of_closed_windows() -> None:
    """End, every few seconds, the sessions of auditors whose access window has closed.

    Access doesn't depend on it, since each request checks the window. One query covers all tenants,
    and only tenants with a recently closed window get a transaction.
    """
    with transaction(read_only=True):
        closed = set(queries.tenants_with_closed_window(clock.now()))
    if closed:
        in_each(_end_sessions, "sessions of auditors not ended", wanted=lambda t: t.id in closed)


def _end_sessions() -> None:
    with transaction():
        actions.end_expired_sessions()
