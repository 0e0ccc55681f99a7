"""Checks that an installation passes before it serves: database role, durability, key and storage.

    check_start(settings)      refuse to start, with a sentence for each fatal problem
    FATAL                      name → check, as /readyz shows them

The demo isn't checked: it keeps its data only until it is created again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from cryptography.exceptions import InvalidTag
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.app import migrate
from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.config import Settings, SettingsError
from governance.kernel.data.db import Tenanted, engine, session, transaction
from governance.kernel.errors import Unavailable
from governance.kernel.files import installation_marks, storage
from governance.kernel.files.installation_marks import InstallationMark
from governance.kernel.safety import key_encryption

log = structlog.get_logger("installation")
OTHER_KEY = "isn't the key of this installation"
KEY_REMEDY = (
    "Use the key file that belongs to this database, see docs/operating/keys.md. While you rotate"
    " it, name the previous one in GOVERNANCE_KEK_PREVIOUS_FILE."
)
STORAGE_REMEDY = "Mount the storage of this installation, or restore its files with the marker."


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with a setting: the end of a sentence that names it, and its remedy."""

    setting: str
    found: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.setting} {self.found}. {self.remedy}"


def role_problem() -> Problem | None:
    """Return a problem if the role is a superuser or has BYPASSRLS: row-level security ignores
    both.
    """
    query = "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)"
    with transaction(read_only=True):
        found = session().execute(text(query)).one_or_none()
    if found is None:
        return None
    what = "is a superuser" if found.rolsuper else "has BYPASSRLS"
    return Problem(
        "DATABASE_URL",
        f"signs in as {found.rolname}, which {what}: tenants would not be isolated",
        "Sign in as governance_app, which docs/operating/roles.sql creates.",
    )


def owner_problem() -> Problem | None:
    """Return a problem if the role owns the tables: an owner can turn off row-level security."""
    query = """SELECT current_user FROM pg_class c WHERE c.oid = to_regclass('public.tenants')
        AND pg_has_role(current_user, c.relowner, 'USAGE')
        AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)"""
    with transaction(read_only=True):
        found = session().scalar(text(query))
    if found is None:
        return None
    return Problem(
        "DATABASE_URL",
        f"signs in as {found}, which owns the tables",
        "Sign in as governance_app. Only migrate uses the owner, in GOVERNANCE_OWNER_DATABASE_URL.",
    )


def durability_problem() -> Problem | None:
    """Return a problem if commits aren't durable: PostgreSQL would acknowledge writes that a crash
    loses.
    """
    with transaction(read_only=True):
        value = session().scalar(text("SHOW synchronous_commit"))
    if value != "off":
        return None
    return Problem(
        "DATABASE_URL",
        "names a database with synchronous_commit=off: a crash would lose saved changes",
        "Set synchronous_commit to on for the server, the database and the role.",
    )


def key_problem() -> Problem | None:
    mark = installation_marks.read()
    if mark is None or installation_marks.opens(mark):
        return None
    return Problem("GOVERNANCE_KEK_FILE", OTHER_KEY, KEY_REMEDY)


def storage_problem() -> Problem | None:
    """Return what is wrong with the marker.

    A bucket that is briefly unreachable isn't a problem.
    """
    mark = installation_marks.read()
    if mark is None or mark.storage_marked_at is None:
        return None
    try:
        found = installation_marks.storage_problem(mark)
    except Unavailable as away:
        log.warning("storage not checked", reason=away.message)
        return None
    if not found:
        return None
    remedy = (
        f"{STORAGE_REMEDY} To use this one although files are missing, write the line"
        f" {mark.installation_id} to a file named {installation_marks.MARKER} in it."
    )
    return Problem("GOVERNANCE_STORAGE_URL", found, remedy)


FATAL: dict[str, Callable[[], Problem | None]] = {
    "role": role_problem,
    "not_owner": owner_problem,
    "synchronous_commit": durability_problem,
    "key": key_problem,
    "storage": storage_problem,
}


def readiness_checks() -> dict[str, Callable[[], bool]]:
    """Return the checks of /readyz. They don't read a bucket's marker: only the start does."""
    names = [name for name in FATAL if name != "storage" or storage.store().is_local]
    return {name: partial(_is_fine, FATAL[name]) for name in names}


def _is_fine(check: Callable[[], Problem | None]) -> bool:
    return check() is None


def check_start(settings: Settings) -> None:
    """Raise SettingsError with every fatal problem. Mark a new installation.

    Continues without a database: /readyz shows what is wrong once it answers. Leaves no connection
    open, because the workers that `web` forks afterwards would share it.
    """
    if settings.demo:
        return
    try:
        problems = find_problems()
    except (Unavailable, DBAPIError) as away:
        log.warning("installation not checked", reason=type(away).__name__)
        return
    finally:
        engine().dispose()
    if problems:
        lines = "\n  ".join(problem.sentence for problem in problems)
        raise SettingsError(f"Meridian can't start:\n  {lines}")


def find_problems() -> list[Problem]:
    """Return the fatal problems. The first call without any marks the installation."""
    found = [role_problem(), owner_problem(), durability_problem()]
    if migrate.is_current():
        every = _tenants()
        found.append(key_problem() if installation_marks.read() else _unmarked_key_problem(every))
        if not any(found):
            found.append(_storage_at_start(every))
    return [each for each in found if each]


def _tenants() -> list[Tenant]:
    with transaction(read_only=True):
        every = list(tenants.living_tenants())
        session().expunge_all()
    return every


def _unmarked_key_problem(every: list[Tenant]) -> Problem | None:
    """Compare the key with what the database holds, before its check value is written."""
    if _opens_existing_key(every):
        return None
    return Problem("GOVERNANCE_KEK_FILE", OTHER_KEY, KEY_REMEDY)


def _storage_at_start(every: list[Tenant]) -> Problem | None:
    """Check the storage, and mark a new one. A bucket that is briefly unreachable stops nothing."""
    try:
        if found := installation_marks.write_problem():
            return Problem("GOVERNANCE_STORAGE_URL", found, "Check the address and the rights.")
        mark = installation_marks.read()
        if mark is not None and mark.storage_marked_at is not None:
            return storage_problem()
        return _mark_storage(mark, _has_existing_file(every))
    except Unavailable as away:
        if storage.store().is_local:
            return Problem(
                "GOVERNANCE_STORAGE_URL", f"can't be used. {away.message}", STORAGE_REMEDY
            )
        log.warning("storage not checked", reason=away.message)
        return None


def _mark_storage(mark: InstallationMark | None, has_files: bool | None) -> Problem | None:  # noqa: FBT001 - a finding
    """Mark the storage as this installation's, unless it is another's or lacks the files.

    A database restored from a time before its marks adopts the id in its storage.
    """
    owner = installation_marks.storage_owner()
    if has_files is False:
        return Problem(
            "GOVERNANCE_STORAGE_URL", "doesn't hold the files of this database", STORAGE_REMEDY
        )
    is_ours = owner is None or (mark is not None and owner == str(mark.installation_id))
    if not is_ours and not (mark is None and has_files):
        return Problem(
            "GOVERNANCE_STORAGE_URL",
            f"belongs to another installation ({str(owner)[:40]})",
            "Name an empty folder or bucket prefix for this one.",
        )
    adopted = _as_id(owner) if mark is None else None
    installation_marks.mark_storage(mark or installation_marks.establish(adopted))
    return None


def _as_id(marker: str | None) -> UUID | None:
    """Return the id in a marker, or None if somebody wrote the marker by hand."""
    try:
        return UUID(marker)
    except (TypeError, ValueError):
        return None


def _opens_existing_key(every: list[Tenant]) -> bool:
    """Return whether the key opens the first value that it should. True if there is none."""
    for tenant in every:
        with (
            current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)),
            transaction(read_only=True),
        ):
            for held in key_encryption.holdings:
                model: Any = held.model
                is_tenanted = issubclass(model, Tenanted)
                row = session().scalars(select(model).limit(1)).first() if is_tenanted else None
                if row is not None and getattr(row, held.column):
                    try:
                        key_encryption.unwrap(getattr(row, held.column), held.context(row))
                    except InvalidTag:
                        return False
                    return True
    return True


def _has_existing_file(every: list[Tenant]) -> bool | None:
    """Return whether the newest evidence file of a tenant is in the storage.

    None if there is none.
    """
    newest = (
        select(EvidenceVersion.storage_key)
        .where(EvidenceVersion.storage_key.is_not(None))
        .order_by(EvidenceVersion.created_at.desc())
        .limit(1)
    )
    for tenant in every:
        with (
            current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)),
            transaction(read_only=True),
        ):
            key = session().scalar(newest)
        if key is not None:
            return storage.store().exists(key)
    return None
