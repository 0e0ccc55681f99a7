"""`governance check`: try everything that the settings name.

run(settings) -> list[Row]      one row for each check, the database's first
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import OperationalError

from governance.app import installation_checks, migrate
from governance.app.installation_checks import Problem
from governance.assurance.evidence import scanning
from governance.economics.usage import event_stores
from governance.foundation.people import connection_check, sign_in_state
from governance.foundation.people import queries as people
from governance.foundation.tenants import queries as tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.config import Settings
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.work import outbox

MIN_VERSION = 150_000  # PostgreSQL 15, as server_version_num.
MAX_CLOCK_DIFFERENCE = timedelta(seconds=5)
MARKS = {"ok": "ok  ", "warn": "warn", "fatal": "FAIL", "unset": "-   "}
TRIED = {  # A name in FATAL, with its setting and what is checked.
    "role": ("DATABASE_URL", "the role is no superuser and has no BYPASSRLS"),
    "not_owner": ("DATABASE_URL", "the role doesn't own the tables"),
    "synchronous_commit": ("DATABASE_URL", "synchronous_commit is on"),
    "key": ("GOVERNANCE_KEK_FILE", "opens the check value of this database"),
    "storage": ("GOVERNANCE_STORAGE_URL", "write, read, delete; marker of this installation"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One check of a setting: what it tried, its result, and its remedy."""

    setting: str
    tried: str
    state: str = "ok"  # A key of MARKS.
    result: str = ""
    remedy: str = ""

    @property
    def line(self) -> str:
        told = f"{self.result}. {self.remedy}".strip(". ") if self.result else ""
        return f"{MARKS[self.state]}  {self.setting}: {self.tried}" + (f": {told}." if told else "")


def run(settings: Settings) -> list[Row]:
    """Try everything. Without the database, skip what needs it."""
    database = _database(settings)
    rows = [database]
    if database.state == "ok":
        rows += _installation(settings)
    return [*rows, _public_url(settings), *_other_servers(settings)]


def _database(settings: Settings) -> Row:
    tried = "connect, PostgreSQL 15 or newer"
    try:
        with create_engine(settings.database_url, poolclass=pool.NullPool).connect() as connection:
            number = int(connection.scalar(text("SHOW server_version_num")) or 0)
            version = connection.scalar(text("SHOW server_version"))
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()[0]
        return Row("DATABASE_URL", tried, "fatal", why, "Check address, role and password")
    if number < MIN_VERSION:
        return Row("DATABASE_URL", tried, "fatal", f"It is PostgreSQL {version}", "Upgrade it")
    return Row("DATABASE_URL", tried, "ok")


def _installation(settings: Settings) -> Iterator[Row]:
    yield _clock()
    is_current = migrate.is_current()
    if is_current:
        yield Row("DATABASE_URL", "has every migration")
    else:
        remedy = "Run governance migrate"
        yield Row("DATABASE_URL", "has every migration", "fatal", "Some are missing", remedy)
    found = [] if settings.demo else installation_checks.find_problems()
    for name, (setting, tried) in TRIED.items():
        if name in {"key", "storage"}:
            ours = next((each for each in found if each.setting == setting), None)
            others = [each for each in found if each.setting != setting]
            if ours is None and (not is_current or (name == "storage" and others)):
                yield Row(setting, tried, "unset", "Not tried, because of what failed above")
                continue
        else:
            ours = installation_checks.FATAL[name]()
        yield _fatal(setting, tried, ours)
    if is_current and not any(each.setting == TRIED["key"][0] for each in found):
        yield _operators_provider()


def _fatal(setting: str, tried: str, problem: Problem | None) -> Row:
    if problem is None:
        return Row(setting, tried)
    return Row(setting, tried, "fatal", f"It {problem.found}", problem.remedy)


def _clock() -> Row:
    tried = f"its clock differs from this one by at most {MAX_CLOCK_DIFFERENCE.seconds} s"
    with transaction(read_only=True) as work:
        theirs = work.scalar(text("SELECT clock_timestamp()"))
    difference = abs(theirs - clock.now()) if theirs else timedelta()
    if difference <= MAX_CLOCK_DIFFERENCE:
        return Row("DATABASE_URL", tried, "ok")
    seconds = f"It differs by {difference.total_seconds():,.0f} s"
    return Row("DATABASE_URL", tried, "warn", seconds, "Synchronize both with NTP")


def _operators_provider() -> Row:
    setting, tried = "operator", "its identity provider, as Test this connection tests it"
    with transaction(read_only=True):
        home = tenants.any_tenant_by_slug(OPERATOR_SLUG)
        who = system_actor_in(home.id, home.slug, home.name) if home else None
    if who is None:
        remedy = "Run governance operator create"
        return Row(setting, tried, "warn", "There is no operator yet", remedy)
    with current.acting_as(who), transaction(read_only=True):
        live = people.connection()
        client = sign_in_state.oidc_client(live, "https://check.invalid/") if live else None
    if client is None:
        return Row(setting, tried, "warn", "It has no connection", "Run governance identity reset")
    for step in connection_check.diagnose(client):
        if not step["ok"] and not step.get("optional"):
            return Row(setting, tried, "warn", f"{step['says']}: {step['detail']}")
    return Row(setting, tried, "ok")


def _public_url(settings: Settings) -> Row:
    tried = "https, without a path"
    if settings.secure:
        return Row("GOVERNANCE_PUBLIC_URL", tried, "ok")
    found = f"{settings.public_url} is for this machine only"
    return Row("GOVERNANCE_PUBLIC_URL", tried, "warn", found, "Put a proxy with TLS in front")


def _other_servers(settings: Settings) -> Iterator[Row]:
    yield _server(
        "GOVERNANCE_SMTP_URL",
        "greeting, TLS, sign-in",
        settings.smtp_url,
        outbox.check_server,
        "Mail is written to a folder and reaches nobody",
    )
    yield _server(
        "GOVERNANCE_CLAMAV",
        "scan of a few bytes",
        settings.of_features.get("GOVERNANCE_CLAMAV"),
        lambda _url: scanning.check_not_infected(io.BytesIO(b"check"), "check"),
        "Files are not scanned",
    )
    yield _server(
        "GOVERNANCE_USAGE_URL",
        "table of usage events",
        settings.of_features.get("GOVERNANCE_USAGE_URL"),
        event_stores.create_tables,
        "PostgreSQL keeps usage events",
    )


def _server(
    setting: str, tried: str, url: str | None, attempt: Callable[[str], None], without: str
) -> Row:
    if url is None:
        return Row(setting, "not set", "unset", without)
    try:
        attempt(url)
    except DomainError as error:
        return Row(setting, tried, "warn", error.message)
    return Row(setting, tried, "ok")
