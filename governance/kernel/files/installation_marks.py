"""The identity of this installation: its id, which its storage repeats, and a check of its key.

    read()                     the row; None until the first start
    establish()                write it, once
    opens(mark)                whether the installation's key is the one of this database
    storage_problem(mark)      why the storage isn't this installation's; "" if it is

The storage has the id in a small object named `installation`. A restored database and a copy of the
storage still belong together; an empty folder belongs to nobody.
"""

from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock
from governance.kernel.data.db import Model, session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import NotFound
from governance.kernel.files import storage
from governance.kernel.safety import key_encryption

MARKER = "installation"  # The object's name in the storage.
PROBE = "installation-check"
ONLY_ROW = UUID(int=1)
CONTEXT = b"installation check value"
MAX_MARKER_BYTES = 100


class InstallationMark(Model):
    """The only row: the identity of this installation."""

    __tablename__ = "installation_marks"

    installation_id: Mapped[UUID]
    kek_check: Mapped[bytes]  # Wrapped by the installation's key.
    storage_marked_at: Mapped[datetime | None] = mapped_column(default=None)


key_encryption.holds(InstallationMark, "kek_check", lambda _row: CONTEXT)


def read() -> InstallationMark | None:
    """Return the row, detached; None if no process has started yet."""
    with transaction(read_only=True):
        found = session().get(InstallationMark, ONLY_ROW)
        session().expunge_all()
    return found


def establish(installation_id: UUID | None = None) -> InstallationMark:
    """Write the row unless it is there, and return it. Two first starts agree on one id."""
    with transaction():
        session().execute(
            insert(InstallationMark)
            .values(
                id=ONLY_ROW,
                installation_id=installation_id or uuid7(),
                kek_check=key_encryption.wrap(key_encryption.new_key(), CONTEXT),
                created_at=clock.now(),
            )
            .on_conflict_do_nothing()
        )
    found = read()
    if found is None:
        raise RuntimeError("the row was written")
    return found


def mark_storage(mark: InstallationMark) -> None:
    """Write the marker to the storage, and record that it is there."""
    storage.store().keep(MARKER, f"{mark.installation_id}\n".encode())
    with transaction():
        row = session().scalars(select(InstallationMark).with_for_update()).one()
        row.storage_marked_at = clock.now()


def opens(mark: InstallationMark) -> bool:
    """Return whether the installation's key, or the previous one, opens the check value."""
    try:
        key_encryption.unwrap(mark.kek_check, CONTEXT)
    except InvalidTag:
        return False
    return True


def storage_owner() -> str | None:
    """Return the id in the storage's marker; None without a marker. Raises Unavailable."""
    try:
        with storage.store().open(MARKER) as file:
            return file.read(MAX_MARKER_BYTES).decode("utf-8", "replace").strip()
    except NotFound:
        return None


def storage_problem(mark: InstallationMark) -> str:
    """Return why the storage isn't the one that this installation marked; "" if it is.

    Raises Unavailable.
    """
    owner = storage_owner()
    if owner is None:
        return f"has no file named {MARKER}: it is empty, not mounted, or another one"
    if owner != str(mark.installation_id):
        return f"belongs to another installation ({owner[:40]})"
    return ""


def write_problem() -> str:
    """Return why the storage can't be written, read and cleared; "" if it can.

    Raises Unavailable.
    """
    store, content = storage.store(), b"check\n"
    try:
        store.keep(PROBE, content)
        with store.open(PROBE) as file:
            is_same = file.read(MAX_MARKER_BYTES) == content
        store.remove(PROBE)
    except NotFound as error:
        return f"can't be used. {error.message}"
    except OSError as error:
        return f"can't be used ({error.strerror})"
    return "" if is_same else "returned another content than was written"
