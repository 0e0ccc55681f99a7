"""The archive: a ZIP with tables as JSON Lines, files, the log, and a signed manifest.

    tables/<table>.jsonl      each row, as PostgreSQL writes it as JSON
    tables/clickhouse.usage_events.jsonl    each usage event, if ClickHouse stores them
    files/<key>               each stored file, decrypted
    log/audit-log.jsonl       the entire log with proofs (`governance verify-log`)
    log/personal.jsonl        personal data in entries, decrypted while its keys exist
    manifest.json             path, bytes, SHA-256 and rows of each of these
    manifest.note             the digest of the manifest, signed by the key of the tenant's log
    VERIFY.txt                how to check it without Meridian's help

Rows and files are streamed in pieces, so memory stays constant. Tables are read in one snapshot. A
killed run starts again from nothing.
"""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from sqlalchemy import select

from governance.economics.usage import event_stores
from governance.foundation.audit import logs, personal_field_encryption
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry, Checkpoint
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, stream
from governance.foundation.logbook.filters import Filters
from governance.foundation.people.models import Membership, Person
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import extend_statement_timeout, session, transaction
from governance.kernel.errors import NotFound, Unavailable
from governance.kernel.files import storage
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.safety import signed_note
from governance.publishing.tenant_exports import tables
from governance.publishing.tenant_exports.archive_format import FORMAT, MANIFEST, NOTE, signed_text

PREFIX = "tenant-exports"  # In the storage. Archives don't include archives.
ENTRIES_AT_ONCE = 500
OWNER_ONLY = 0o600  # Permissions of an unpacked file.
type Report = Callable[[str], None]

VERIFY = """\
This archive has everything that {name} had in Meridian on {day}.

Check it with the key of the audit log, which you have from Settings or from an earlier export:

    governance verify-export {file} --key '{key}'

Without Meridian: manifest.note is a signed note (https://c2sp.org/signed-note, Ed25519) over the
SHA-256 of manifest.json, and manifest.json has the SHA-256 of every other file. log/audit-log.jsonl
is checked by docs/verify_meridian.py, a file of standard Python.

Left out, and why:
{left_out}
{unreadable}"""


@dataclass(slots=True)
class Contents:
    """The content written so far."""

    files: list[dict[str, Any]] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    stored: int = 0
    unreadable: list[str] = field(default_factory=list)  # Stored files whose bytes were lost.

    @property
    def summary(self) -> dict[str, Any]:
        return {
            "tables": len(self.rows),
            "rows": sum(self.rows.values()),
            "files": self.stored,
            "unreadable": len(self.unreadable),
            "bytes": sum(each["bytes"] for each in self.files),
        }


def write(target: IO[bytes], report: Report) -> Contents:
    """Write the acting tenant's archive. `report` may stop it by raising."""
    contents, head = Contents(), _checkpoint()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as archive:
        with transaction(snapshot=True):  # Not read-only, because progress is written meanwhile.
            extend_statement_timeout()
            _write_tables(archive, contents, report)
        _write_files(archive, contents, report)
        report("Audit log")
        _add(archive, contents, "log/audit-log.jsonl", _log(head, report))
        _add_lines(archive, contents, "log/personal.jsonl", _personal())
        report("Signing")
        _sign(archive, contents, head)
    return contents


def _checkpoint() -> Checkpoint:
    with transaction(read_only=True):
        found = audit.last_checkpoint()
        if found is None or not found.size:
            raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
        session().expunge(found)
        return found


def _write_tables(archive: zipfile.ZipFile, contents: Contents, report: Report) -> None:
    _add_lines(archive, contents, "tables/tenants.jsonl", _own_row())
    _add_lines(archive, contents, "tables/people.jsonl", _people())
    for table in tables.exported_tables():
        report(f"Table {table.name.replace('_', ' ')}")
        _add_lines(archive, contents, f"tables/{table.name}.jsonl", tables.rows(table))
    if (events := event_stores.store().lines_outside()) is not None:
        report("Usage events")
        _add_lines(archive, contents, f"tables/{tables.EVENTS_OUTSIDE}.jsonl", events)


def _own_row() -> Iterator[bytes]:
    tenant = session().get(Tenant, current.actor().tenant_id)
    yield _line({c.name: getattr(tenant, c.name) for c in Tenant.__table__.columns})


def _people() -> Iterator[bytes]:
    query = select(Person.id, Person.name, Person.email, Person.issuer, Person.subject)
    members = query.join(Membership, Membership.person_id == Person.id).order_by(Person.id)
    for row in session().execute(members):
        yield _line(dict(row._mapping))  # noqa: SLF001 - the public name of SQLAlchemy's


def _write_files(archive: zipfile.ZipFile, contents: Contents, report: Report) -> None:
    """Write each stored file. One removed meanwhile has no row that needs it.

    A file that can't be decrypted doesn't stop the archive: the manifest names it.
    """
    home = current.actor().tenant_id.hex
    for key, _written in storage.store().aged(home):
        short = key.removeprefix(f"{home}/")
        if short.startswith((f"{PREFIX}/", ".")):
            continue
        report(f"File {contents.stored + 1}")
        try:
            # Written bytes can't be removed from a ZIP, and damage may come late in a file.
            _read_through(key)
            pieces = storage.pieces(key)
        except NotFound:
            continue
        except CorruptedFile:
            contents.unreadable.append(short)
            continue
        _add(archive, contents, f"files/{short.removesuffix(storage.ENCRYPTED_SUFFIX)}", pieces)
        contents.stored += 1


def _read_through(key: str) -> None:
    """Raise CorruptedFile if the file is damaged anywhere."""
    for _piece in storage.pieces(key):
        pass


def _log(head: Checkpoint, report: Report) -> Iterator[bytes]:
    zone = current.actor().time_zone
    plan = ExportPlan("jsonl", Filters(), zone, head.origin, head.size, head.note)
    reader = stream(plan, ExportProgress(), lambda _at: report("Audit log"))
    return storage.in_pieces(reader)


def _personal() -> Iterator[bytes]:
    """Yield the personal data of each entry: {"id", "fields": {name: text}}."""
    after: Any = None
    while True:
        with transaction(read_only=True):
            query = select(AuditEntry.id, AuditEntry.sealed).order_by(AuditEntry.id)
            query = query if after is None else query.where(AuditEntry.id > after)
            found = session().execute(query.limit(ENTRIES_AT_ONCE)).all()
            lines = [_opened(row.id, row.sealed) for row in found]
        yield from (line for line in lines if line)
        if len(found) < ENTRIES_AT_ONCE:
            return
        after = found[-1].id


def _opened(entry_id: Any, sealed: dict[str, Any]) -> bytes:
    opened = {
        name: plain
        for name, each in sealed.items()
        if (plain := personal_field_encryption.unseal(name, each)) is not None
    }
    return _line({"id": entry_id, "fields": opened}) if opened else b""


def _sign(archive: zipfile.ZipFile, contents: Contents, head: Checkpoint) -> None:
    who = current.actor()
    manifest = json.dumps(
        {
            "format": FORMAT,
            "tenant": {"id": str(who.tenant_id), "slug": who.tenant_slug, "name": who.tenant_name},
            "created_at": clock.now().isoformat(),
            "checkpoint": head.note,
            "files": contents.files,
            "left_out": tables.LEFT_OUT,
            "unreadable": sorted(contents.unreadable),
        },
        indent=1,
        sort_keys=True,
    ).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    with transaction(read_only=True):
        key = logs.signing_key()
        if key is None:
            raise Unavailable("The audit log has no signing key yet. Try again in a minute.")
        verifier = str(logs.verifier(key))
        private = logs.private_key(key)
        note = signed_note.sign(private, key.name, signed_text(who.tenant_slug, digest))
    archive.writestr(_entry(MANIFEST), manifest)
    archive.writestr(_entry(NOTE), note)
    left = "\n".join(f"- {name}: {why}" for name, why in sorted(tables.LEFT_OUT.items()))
    archive.writestr(
        _entry("VERIFY.txt"),
        VERIFY.format(
            name=who.tenant_name,
            day=clock.today(),
            file=f"{who.tenant_slug}-everything.zip",
            key=verifier,
            left_out=left,
            unreadable=_named_unreadable(contents),
        ),
    )


def _named_unreadable(contents: Contents) -> str:
    named = "".join(f"- {each}\n" for each in sorted(contents.unreadable))
    return f"\nStored, but no longer readable in Meridian:\n{named}" if named else ""


def _entry(path: str) -> zipfile.ZipInfo:
    """Return the entry of a file with Meridian's time. `zipfile` would use the machine's."""
    entry = zipfile.ZipInfo(path, clock.now().timetuple()[:6])
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, OWNER_ONLY << 16
    return entry


def _add(
    archive: zipfile.ZipFile, contents: Contents, path: str, pieces: Iterable[bytes]
) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    with archive.open(_entry(path), "w", force_zip64=True) as file:
        for piece in pieces:
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    found: dict[str, Any] = {"path": path, "bytes": size, "sha256": digest.hexdigest()}
    contents.files.append(found)
    return found


def _add_lines(
    archive: zipfile.ZipFile, contents: Contents, path: str, lines: Iterable[bytes]
) -> None:
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for line in lines:
            count += 1
            yield line

    found = _add(archive, contents, path, counted())
    found["rows"] = count
    contents.rows[path] = count


def _line(row: Any) -> bytes:
    return json.dumps(row, default=_plain, ensure_ascii=False).encode() + b"\n"


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
