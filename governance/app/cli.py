"""The `governance` command line. Heavy imports wait until a command needs them."""

import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click

from governance.kernel.files.verification_results import EXIT_STATUS, CheckOutcome, worst

MAX_SECRET = 1000  # Characters of a client secret.
COLLECT_AFTER = gc.get_threshold()
# New objects between collections. Nearly all that are created at the start stay.
START_COLLECT_AFTER = 50_000

if TYPE_CHECKING:
    from typing import Any, TextIO

    from governance.kernel.current import Actor
    from governance.kernel.files.verification_results import VerificationResult
    from governance.publishing.operator_work.backup_records import Kind, Outcome


def _version() -> str:
    """Return the installed version; the image runs from its folder, uninstalled."""
    try:
        return metadata.version("governance")
    except metadata.PackageNotFoundError:
        return "run from source"


@click.group(context_settings={"max_content_width": 100})
@click.version_option(_version())
def main() -> None:
    """Meridian: keep proof of how you govern your AI."""
    gc.set_threshold(START_COLLECT_AFTER, *COLLECT_AFTER[1:])


@main.command()
def migrate() -> None:
    """Upgrade the database to this version, and load or correct the built-in frameworks.

    Needs GOVERNANCE_OWNER_DATABASE_URL.
    """
    from governance.app import migrate as migrations
    from governance.app.factory import connect
    from governance.app.settings import from_environment
    from governance.assurance.frameworks import corrections, sync
    from governance.economics.usage import event_stores
    from governance.kernel.errors import Unavailable

    settings = from_environment()
    if not (settings.demo or os.environ.get("GOVERNANCE_OWNER_DATABASE_URL")):
        raise click.ClickException(
            "GOVERNANCE_OWNER_DATABASE_URL is not set: name the database as governance_owner, which"
            " owns the tables."
        )
    migrations.upgrade(settings.owner_database_url)
    sync.install_catalogues(settings.owner_database_url)
    if sync.has_corrections(settings.owner_database_url):
        connect(settings)
        corrections.record_corrections()
    try:
        event_stores.create_tables(settings.of_features.get("GOVERNANCE_USAGE_URL"))
    except Unavailable:
        raise click.ClickException(
            "The database is up to date, but ClickHouse at GOVERNANCE_USAGE_URL didn't create its"
            " table. Check the address and the user's rights, then run this again."
        ) from None
    click.echo("The database is up to date.")


@main.command()
def law() -> None:
    """Print each version of the EU AI Act that this version of Meridian knows, with its days."""
    from governance.operations.intake import law as act

    for version in act.VERSIONS:
        found = act.law(version)
        click.echo(f"{version}  {found.title}")
        click.echo(f"  digest  {found.digest}")
        click.echo(f"  days    {', '.join(each.isoformat() for each in found.days)}")
        click.echo(f"  read    {found.read_on.isoformat()}. {act.CONFIRM}")


@main.command()
def check() -> None:
    """Try everything that the settings name, and say what to do.

    Exits with status 1 if web and jobs would not start, or the database has to be migrated.
    """
    from governance.app import setting_checks
    from governance.app.settings import from_environment

    _connect()
    rows = setting_checks.run(from_environment())
    for row in rows:
        click.echo(row.line)
    if fatal := next((row for row in rows if row.state == "fatal"), None):
        raise click.ClickException(f"{fatal.setting}: {fatal.result}. {fatal.remedy}")
    click.echo("Ready to start.")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True)
def web(host: str, port: int, workers: int) -> None:
    """Serve Meridian's pages and APIs.

    On SIGTERM, open connections get five seconds to finish.
    """
    _serve("pages", host, port, workers)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8001, show_default=True)
@click.option("--workers", default=1, show_default=True)
@click.option("--threads", default=16, show_default=True, help="Of each worker.")
def decisions(host: str, port: int, workers: int, threads: int) -> None:
    """Serve the decision API alone, in processes that render no pages."""
    _serve("decisions", host, port, workers, threads)


def _serve(what: str, host: str, port: int, workers: int, threads: int | None = None) -> None:
    from governance.app import serving
    from governance.app.factory import load_what_workers_share
    from governance.kernel.web import server

    os.environ["GOVERNANCE_WEB_WORKERS"] = str(workers)
    application = serving.application()
    _check_start()
    load_what_workers_share(application)
    gc.set_threshold(*COLLECT_AFTER)
    target = f"governance.app.serving:{what}"
    server.serve(target, host=host, port=port, workers=workers, threads=threads)


@main.command()
def jobs() -> None:
    """Run background work and scheduled jobs until SIGTERM.

    Unfinished work continues in the next process.
    """
    from governance.app.factory import create_app
    from governance.app.schedule import jobs_of, sequence_logs
    from governance.foundation.people.jobs import actor_of
    from governance.kernel.manifest import installed
    from governance.kernel.work import jobs as queue

    create_app()
    _check_start()
    gc.set_threshold(*COLLECT_AFTER)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sequencer = threading.Thread(target=sequence_logs, args=(stop,), name="sequencer")
    schedule = queue.scheduler(jobs_of(installed()))
    schedule.start()
    sequencer.start()
    queue.work_loop(actor_of, stop)
    sequencer.join()
    schedule.shutdown(wait=False)


KEY_HELP = "The verifier key, or a file with one key per line, retired keys included."


@main.command("verify-report", epilog=EXIT_STATUS)
@click.argument("report", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key", required=True, help=KEY_HELP)
@click.option(
    "--signature",
    "signature",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The signature file. By default REPORT.sig, or REPORT with .sig as its extension.",
)
def verify_report(report: Path, key: str, signature: Path | None) -> None:
    """Verify a report offline: signature, file, attachments and fingerprint."""
    from governance.publishing.reports.signatures.verify import verify

    beside = [report.with_name(report.name + ".sig"), report.with_suffix(".sig")]
    note = signature or next((path for path in beside if path.exists()), None)
    if note is None:
        raise click.UsageError(
            "No signature found next to the report. Looked for"
            f" {', '.join(p.name for p in beside)}; pass --signature."
        )
    result = verify(report.read_bytes(), _short_text(note), _key_text(key))
    _conclude(result, result.sentence)


@main.command("verify-statement", epilog=EXIT_STATUS)
@click.argument("statement", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--key",
    "keys",
    multiple=True,
    help=f"{KEY_HELP} Pass it again with the key of the tenant's audit log, for its checkpoint.",
)
def verify_statement(statement: Path, keys: tuple[str, ...]) -> None:
    """Recompute an SLA statement offline: STATEMENT is sla-statement.json or its zip.

    Checks the signature, adds up the minute counts, recomputes attainment, bands, cap and credit,
    and names the first wrong minute, term or sum.
    """
    from governance.publishing.statements.data_file import MAX_BYTES
    from governance.publishing.statements.sandboxed_verify import verify

    with statement.open("rb") as file:
        result = verify(file.read(MAX_BYTES + 1), "\n".join(map(_key_text, keys)))
    _conclude(result, result.sentence)


@main.group()
def keys() -> None:
    """Manage the installation's keys."""


@keys.command("rotate-kek")
def rotate_kek() -> None:
    """Re-encrypt all data keys with the key of GOVERNANCE_KEK_FILE.

    The previous key is in GOVERNANCE_KEK_PREVIOUS_FILE. Safe to repeat.
    """
    from governance.app.factory import create_app
    from governance.foundation.privacy.rotation import rotate
    from governance.kernel.safety import key_encryption

    create_app()
    result = rotate()
    listed = (
        ", ".join(f"{table} {count}" for table, count in sorted(result.rewrapped.items()))
        or "nothing to do"
    )
    click.echo(f"Rewrapped under key {key_encryption.service().key_id}: {listed}.")
    for table, count in sorted(result.lost.items()):
        click.echo(
            f"{table}: {count} can't be decrypted with either key. Name the key that encrypted them"
            " in"
            " GOVERNANCE_KEK_PREVIOUS_FILE."
        )
    for table, count in sorted(result.left.items()):
        click.echo(
            f"{table}: {count} use the previous key again. Restart web and jobs with the new key,"
            " then run this again."
        )
    click.echo(
        "Nothing uses the previous key any more. You can remove it."
        if result.is_done
        else "Not finished. Keep the previous key."
    )
    sys.exit(0 if result.is_done else 1)


@keys.command("rotate-bundle-key")
@click.argument("tenant")
def rotate_bundle_key(tenant: str) -> None:
    """Sign a tenant's policy bundles with a new key.

    Takes effect within a second. The old key stays published for an hour.
    """
    from governance.kernel.data.db import transaction
    from governance.operations.decisions import actions, queries

    with _as(_system_actors((tenant,))[0]), transaction():
        click.echo(
            f"Policy bundles of {tenant} are now signed with the key"
            f" {queries.key_id(actions.rotate())}."
        )


@main.group("privacy")
def privacy_commands() -> None:
    """Keep erasures in effect after a restore."""


@privacy_commands.command("replay")
def replay() -> None:
    """Repeat the erasures that a restored backup has undone. Safe to repeat."""
    from governance.app.factory import create_app
    from governance.foundation.privacy import erasure_replay as erasures

    create_app()
    done = erasures.replay()
    for listed in done:
        click.echo(
            f"Erased again: {listed.subject} of tenant {listed.tenant_id}, first erased on"
            f" {listed.at:%Y-%m-%d}"
        )
    click.echo(
        f"{len(done)} erased again. The database matches the erasure list."
        if done
        else "Nothing to erase again: the database matches the erasure list."
    )


@main.group("identity")
def identity_commands() -> None:
    """Recover access for a tenant that is locked out or has a single admin."""


@identity_commands.command("reset")
@click.argument("tenant")
@click.option("--issuer", help="The issuer of the new identity provider.")
@click.option("--client-id", help="Meridian's client ID at the identity provider.")
@click.option(
    "--secret-file",
    type=click.File("r"),
    help="A file with the client secret; - reads it from standard input.",
)
@click.option(
    "--admin",
    metavar="ADDRESS",
    help="Who becomes an admin: a member is promoted, anyone else is invited.",
)
@click.option("--reason", required=True, help="Why you do this. Recorded in the audit logs.")
def identity_reset(
    tenant: str,
    issuer: str | None,
    client_id: str | None,
    secret_file: "TextIO | None",
    admin: str | None,
    reason: str,
) -> None:
    """Set a tenant's identity provider or admin without a second person.

    Ends every session of the tenant and closes a proposed change. Recorded in the audit logs of
    the tenant and of the operator. docs/operating/break-glass.md explains when to use it.
    """
    from governance.foundation.identity_providers.break_glass import SignInReset, reset
    from governance.kernel import config
    from governance.kernel.errors import DomainError

    if not reason.strip():
        raise click.UsageError("--reason is empty. Explain why you do this.")
    if len({issuer is None, client_id is None}) > 1:
        raise click.UsageError("Use --issuer and --client-id together.")
    if issuer is None and secret_file is not None:
        raise click.UsageError("--secret-file needs --issuer and --client-id.")
    if issuer is None and admin is None:
        raise click.UsageError(
            "Name an identity provider (--issuer, --client-id, --secret-file), an admin (--admin),"
            " or both."
        )
    secret = secret_file.read(MAX_SECRET).strip() if secret_file is not None else None
    [who] = _system_actors((tenant,))
    try:
        done = reset(
            who,
            SignInReset(issuer, client_id, secret, admin, reason),
            public_url=config.public_address(),
        )
    except DomainError as error:
        raise click.ClickException(error.message) from None
    click.echo(
        f"Members of {tenant} now sign in through {done.issuer}. Redirect URI: {done.callback}"
    )
    ended = "1 session" if done.sessions == 1 else f"{done.sessions} sessions"
    click.echo(f"{ended} ended. Recorded in the audit logs of {tenant} and of the operator.")
    if admin:
        click.echo(f"{admin} is an admin, or was invited as one.")


@main.group("operator")
def operator_commands() -> None:
    """Create the operator of this installation."""


@main.group("tenant")
def tenant_commands() -> None:
    """Create tenants without the operator's pages."""


def _with_tenant_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """Add the options that say who signs in to a new tenant, and how."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Check everything, and save nothing."),
        click.option(
            "--verified-addresses",
            is_flag=True,
            help="The provider verifies email addresses but doesn't send email_verified.",
        ),
        click.option(
            "--admin", required=True, metavar="EMAIL", help="The first admin, who gets an email."
        ),
        click.option(
            "--domain", "domains", multiple=True, required=True, help="A work domain; repeatable."
        ),
        click.option(
            "--client-secret-file",
            "secret_file",
            required=True,
            type=click.File("r"),
            help="A file with the client secret; - reads it from standard input.",
        ),
        click.option("--client-id", required=True, help="Meridian's client ID at the provider."),
        click.option("--issuer", required=True, help="The issuer, as its ID tokens state it."),
        click.option("--name", required=True, help="The name on every page and report."),
    ):
        command = option(command)
    return command


@operator_commands.command("create")
@click.option("--slug", default="console", show_default=True, help="Always console.")
@_with_tenant_options
def operator_create(slug: str, **given: "Any") -> None:
    """Create the operator's tenant, its sign-in and its first admin.

    Tests the identity provider first. Saves nothing if a test fails, or an operator exists.
    """
    _create_tenant(slug, "operator", **given)


@tenant_commands.command("create")
@click.option("--slug", required=True, help="Part of every page address; can't change later.")
@_with_tenant_options
def tenant_create(slug: str, **given: "Any") -> None:
    """Create a tenant, its sign-in and its first admin.

    Tests the identity provider first. Saves nothing if a test fails.
    """
    _create_tenant(slug, "customer", **given)


def _create_tenant(
    slug: str,
    kind: str,
    *,
    name: str,
    issuer: str,
    client_id: str,
    secret_file: "TextIO",
    domains: tuple[str, ...],
    admin: str,
    verified_addresses: bool,
    dry_run: bool,
) -> None:
    from governance.foundation.identity_providers.tenant_setup import WantedTenant, create
    from governance.kernel import config
    from governance.kernel.errors import DomainError

    secret = secret_file.read(MAX_SECRET).strip()
    _connect()
    _check_start()
    wanted = WantedTenant(
        slug,
        name.strip(),
        kind,
        issuer.strip(),
        client_id.strip(),
        secret,
        frozenset(domains),
        admin.strip(),
        verified_addresses,
    )
    try:
        done = create(wanted, public_url=config.public_address(), dry_run=dry_run)
    except DomainError as refused:
        raise click.ClickException(f"{refused.message} Nothing was saved.") from None
    for step in done.steps:
        click.echo(f"ok    {step}")
    click.echo(f"Redirect URI to register at the provider: {done.redirect_address}")
    if dry_run:
        click.echo(f"Dry run: {slug} was not created. Nothing was saved.")
        return
    click.echo(
        f"{slug} is created and recorded in its audit log. {admin} is invited as its first admin"
        f" and signs in at {done.sign_in_address}"
    )


@main.command("rebuild-indicators")
@click.option("--tenant", "tenants", multiple=True, help="A tenant; repeat for several.")
@click.option(
    "--from", "first", required=True, type=click.DateTime(["%Y-%m-%d"]), help="First day."
)
@click.option(
    "--to", "end", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Day after the last."
)
def rebuild_indicators(tenants: tuple[str, ...], first: datetime, end: datetime) -> None:
    """Count the hours and days of indicators again from their minutes, by days of UTC.

    Exits with status 1 if anything differed; it is corrected then.
    """
    from governance.kernel.intervals import Span
    from governance.operations.measurements.jobs import rebuild_all

    if end <= first:
        raise click.UsageError("--to must be after --from.")
    span, differed = Span(first.replace(tzinfo=UTC), end.replace(tzinfo=UTC)), False
    for who in _system_actors(tenants):
        with _as(who):
            rows, indicators = rebuild_all(span)
        click.echo(f"{who.tenant_slug}: {indicators} indicators counted, {rows} rows corrected")
        differed = differed or rows > 0
    sys.exit(1 if differed else 0)


@main.group("search")
def search_commands() -> None:
    """Compare the search index with the objects, or rebuild it."""


@search_commands.command("check")
@click.option("--tenant", "tenants", multiple=True, help="A tenant; repeat for several.")
def search_check(tenants: tuple[str, ...]) -> None:
    """Compare the search index with the objects, and repair it.

    Exits with status 1 if anything differed; it is repaired then.
    """
    from governance.foundation.search import indexing
    from governance.kernel.data.db import transaction

    differing = 0
    for who in _system_actors(tenants):
        with _as(who), transaction():
            count = indexing.differences()
        click.echo(f"{who.tenant_slug}: {count} objects differed")
        differing += count
    sys.exit(1 if differing else 0)


@search_commands.command("rebuild")
@click.option("--tenant", "tenants", multiple=True, help="A tenant; repeat for several.")
def search_rebuild(tenants: tuple[str, ...]) -> None:
    """Rebuild the search index from the objects."""
    from governance.foundation.search import indexing
    from governance.kernel.data.db import transaction

    for who in _system_actors(tenants):
        with _as(who), transaction():
            count = indexing.rebuild()
        click.echo(f"{who.tenant_slug}: {count} objects indexed")


@main.group("backup")
def backup_commands() -> None:
    """Make and record backups, or record what another tool made."""


@backup_commands.command("make")
@click.argument("folder", type=click.Path(file_okay=False, exists=True, path_type=Path))
@click.option(
    "--url",
    required=True,
    help="Of the server, with a role that may replicate; keep its password in ~/.pgpass.",
)
def backup_make(folder: Path, url: str) -> None:
    """Make a base backup in a new folder of FOLDER with pg_basebackup, check it, and record it.

    A failure is recorded too, and exits with status 1.
    """
    import time

    from governance.kernel.errors import DomainError
    from governance.publishing.operator_work import base_backup
    from governance.publishing.operator_work.backup_records import Outcome

    began = time.monotonic()
    try:
        backup, size = base_backup.make(folder, url)
    except (DomainError, OSError, ValueError, KeyError) as error:
        problem = error.message if isinstance(error, DomainError) else str(error)
        seconds = round(time.monotonic() - began)
        _record_outcome("backup", Outcome(False, 0, seconds, str(folder), problem))
        raise click.ClickException(f"The backup failed, and this is recorded. {problem}") from None
    seconds = round(time.monotonic() - began)
    _record_outcome("backup", Outcome(True, size, seconds, str(backup)))
    click.echo(f"{backup}: {size:,} bytes in {seconds} s. Every file matches its manifest.")


@backup_commands.command("record")
@click.option("--drill", is_flag=True, help="A restore drill instead of a backup.")
@click.option("--ok/--failed", "succeeded", required=True, help="How it ended.")
@click.option("--bytes", "size", type=int, default=0, help="Its size.")
@click.option("--seconds", type=int, default=0, help="How long it took.")
@click.option("--place", default="", help="Where the backup is.")
@click.option("--problem", default="", help="Why it failed.")
def backup_record(
    *, drill: bool, succeeded: bool, size: int, seconds: int, place: str, problem: str
) -> None:
    """Record how a backup or a restore drill of another tool ended."""
    from governance.publishing.operator_work.backup_records import Outcome

    outcome = Outcome(succeeded, size, seconds, place, problem)
    _record_outcome("drill" if drill else "backup", outcome)
    click.echo("Recorded in the operator's audit log.")


def _record_outcome(kind: "Kind", outcome: "Outcome") -> None:
    from governance.kernel.data.db import transaction
    from governance.kernel.errors import DomainError
    from governance.kernel.web.identity import OPERATOR_SLUG
    from governance.publishing.operator_work.backup_records import record_outcome

    try:
        with _as(_system_actors((OPERATOR_SLUG,))[0]), transaction():
            record_outcome(kind, outcome)
    except DomainError as refused:
        raise click.ClickException(refused.message) from None


@main.group("usage")
def usage_commands() -> None:
    """Recount the days of AI model usage, or move its events."""


@usage_commands.command("rebuild")
@click.argument("tenant")
@click.option("--month", "text", help="A month of the operator, such as 2026-10. Default: all.")
def usage_rebuild(tenant: str, text: str | None) -> None:
    """Count the days of a tenant's usage again from its events, in one transaction.

    Days whose events are dropped stay. Exits with status 1 if anything differed; it
    is corrected then.
    """
    from governance.economics.usage.rebuild_actions import rebuild
    from governance.kernel.data.db import transaction
    from governance.kernel.errors import DomainError
    from governance.kernel.months import Month

    try:
        month = Month.parse(text) if text else None
    except ValueError:
        raise click.UsageError("--month must be a month such as 2026-10.") from None
    try:
        with _as(_system_actors((tenant,))[0]), transaction():
            result = rebuild(month)
    except DomainError as refused:
        raise click.ClickException(refused.message) from None
    for each in result.differences:
        click.echo(each.sentence)
    kept = f"; {result.dropped} days stay, since their events are dropped" if result.dropped else ""
    click.echo(
        f"{tenant}: {result.counted} days counted, {len(result.differences)} rows corrected{kept}"
    )
    sys.exit(1 if result.differences else 0)


@usage_commands.command("move-to-clickhouse")
def usage_move() -> None:
    """Copy the usage events of every tenant from PostgreSQL to GOVERNANCE_USAGE_URL.

    Compares the sums of each month; months that are there stay as they are, so it may be
    run again. Exits with status 1 if a month differs after its copy.
    """
    from governance.economics.usage.event_stores import store
    from governance.economics.usage.postgresql_events import PostgresqlEvents
    from governance.kernel.data.db import transaction
    from governance.kernel.errors import Unavailable

    actors = _system_actors(())
    if isinstance(store(), PostgresqlEvents):
        raise click.UsageError("Set GOVERNANCE_USAGE_URL to the address of ClickHouse.")
    from governance.economics.usage import moving

    with transaction(read_only=True):
        months = moving.months()
    differs = False
    for month, who in ((month, who) for month in months for who in actors):
        try:
            with _as(who), transaction(read_only=True, snapshot=True):
                result = moving.move(month)
        except Unavailable as away:
            raise click.ClickException(f"{month} {who.tenant_slug}: {away.message}") from None
        if result.events:
            done = result.missing or ("copied" if result.is_copied else "already there")
            click.echo(f"{month} {who.tenant_slug}: {result.events:,} events, {done}")
        differs = differs or bool(result.missing)
    sys.exit(1 if differs else 0)


@main.group("audit")
def audit_commands() -> None:
    """Audit logs: verify them, sequence them, manage their keys, and recover after a restore."""


@audit_commands.command("fsck")
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
def audit_fsck(tenants: tuple[str, ...]) -> None:
    """Verify the logs of these tenants (default: all) against their stored bytes.

    Exits with status 1 if anything is wrong.
    """
    from governance.foundation.audit import fsck, queries
    from governance.foundation.logbook.jobs import check_log
    from governance.kernel.data.db import transaction

    all_intact = True
    for who in _system_actors(tenants):
        with _as(who):
            report = check_log(_progress_of(who.tenant_slug))
            click.echo(f"{'ok  ' if report.ok else 'FAIL'}  {who.tenant_slug}: {report.sentence}")
            for finding in report.findings:
                click.echo(f"      {finding.sentence}")
            with transaction():
                fsck.record_outcome(report)
                log = queries.head()
                if log and log.trouble:
                    click.echo(f"      Halted, signing has stopped: {log.trouble['sentence']}")
        all_intact = all_intact and report.ok
    sys.exit(0 if all_intact else 1)


def _progress_of(slug: str) -> Callable[[int, int], None]:
    """Report progress on standard error, every 50,000 entries."""

    def show_progress(done: int, total: int) -> None:
        if done % 50_000 == 0 and done:
            click.echo(f"{slug}: {done:,} of {total:,} entries read", err=True)

    return show_progress


@audit_commands.command("sequence")
def audit_sequence() -> None:
    """Sequence all logs once, as the jobs process does twice a second.

    Exits with status 1 if entries are still pending.
    """
    from governance.app.schedule import sequence_round
    from governance.foundation.audit import queries
    from governance.kernel.data.db import transaction

    every, left = _system_actors(()), False
    sequence_round(everybody=True)
    for who in every:
        with _as(who), transaction(read_only=True):
            log, waits = queries.head(), queries.pending()
            trouble = f" Halted: {log.trouble['sentence']}" if log and log.trouble else ""
            click.echo(
                f"{who.tenant_slug}: {log.size if log else 0} entries in the tree, {waits}"
                f" pending.{trouble}"
            )
            left = left or waits > 0
    sys.exit(1 if left else 0)


@audit_commands.command("keys")
@click.argument("tenant")
def audit_keys(tenant: str) -> None:
    """Print the verifier keys of a tenant's log, one per line, the present one first."""
    from governance.foundation.audit import logs
    from governance.kernel.data.db import transaction

    with _as(_system_actors((tenant,))[0]), transaction(read_only=True):
        lines = [str(logs.verifier(key)) for key in logs.all_keys()]
    click.echo(
        "\n".join(lines) or f"{tenant} has no log yet. It is created with the first entry.",
        err=not lines,
    )
    sys.exit(0 if lines else 1)


@audit_commands.command("rotate-key")
@click.argument("tenant")
def audit_rotate_key(tenant: str) -> None:
    """Create a new signing key for a tenant's log and print its verifier key.

    The next checkpoint is signed with it. The old key still verifies what it signed.
    """
    from governance.foundation.audit import logs
    from governance.kernel.data.db import transaction

    with _as(_system_actors((tenant,))[0]), transaction():
        line = str(logs.verifier(logs.rotate_key()))
    click.echo(line)


@audit_commands.command("compare")
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
def audit_compare(tenants: tuple[str, ...]) -> None:
    """Compare the logs of these tenants (default: all) with their witnesses.

    A witness that has more entries, or a different history, halts the log. Exits with status 1
    unless every witness agrees.
    """
    from governance.foundation.anchors.actions import compare

    labels, agree = {"agrees": "ok  ", "conflict": "FAIL"}, True
    for who in _system_actors(tenants):
        with _as(who):
            answers = compare()
        for found in answers:
            click.echo(
                f"{labels.get(found.state, '?   ')}  {who.tenant_slug}: {found.name}"
                f" {found.finding or found.state}"
            )
            agree = agree and found.state == "agrees"
        if not answers:
            click.echo(
                f"-     {who.tenant_slug}: has no external witness, so missing entries can't be"
                " detected"
            )
    sys.exit(0 if agree else 1)


@audit_commands.command("resume")
@click.argument("tenant")
@click.option("--reason", required=True, help="Why entries are missing. Recorded in the log.")
def audit_resume(tenant: str, reason: str) -> None:
    """Resume a halted log after a restore lost entries that a witness has seen.

    The log gets a new origin and a new key, which is printed.
    """
    from governance.foundation.audit import logs
    from governance.kernel.data.db import transaction
    from governance.kernel.errors import DomainError

    if not reason.strip():
        raise click.UsageError("--reason is empty. Explain why entries are missing.")
    with _as(_system_actors((tenant,))[0]):
        try:
            with transaction():
                origin = logs.resume(reason=reason.strip()).origin
                line = str(logs.verifier(logs.all_keys()[0]))
        except DomainError as refused:
            raise click.ClickException(refused.message) from None
    click.echo(f"The log continues as {origin}. Give its key to every witness and auditor:")
    click.echo(line)


@main.command("verify-evidence", epilog=EXIT_STATUS)
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
def verify_evidence(tenants: tuple[str, ...]) -> None:
    """Verify every stored evidence file of these tenants, by default of all.

    Marks files that are missing or corrupted.
    """
    from governance.assurance.evidence.verifying import verify
    from governance.kernel.errors import DomainError

    outcomes = []
    for who in _system_actors(tenants):
        with _as(who):
            try:
                report = verify()
            except DomainError as away:
                click.echo(f"?     {who.tenant_slug}: not checked. {away.message}")
                outcomes.append(CheckOutcome.NOT_CHECKED)
                continue
        click.echo(
            f"{'ok  ' if report.is_intact else 'FAIL'}  {who.tenant_slug}: {report.sentence}"
        )
        for finding in report.findings:
            click.echo(f"      {finding.sentence}")
        outcomes.append(CheckOutcome.RIGHT if report.is_intact else CheckOutcome.WRONG)
    if not outcomes:
        click.echo("?     There are no tenants, so nothing was checked.")
    sys.exit(worst(outcomes).value)


def _system_actors(slugs: tuple[str, ...]) -> "list[Actor]":
    """Return the system actor of each of these tenants, by default of all.

    Raises click.UsageError for an unknown slug.
    """
    from governance.foundation.tenants import queries
    from governance.foundation.tenants.system_actor import system_actor_in
    from governance.kernel.data.db import transaction

    _connect()
    with transaction(read_only=True):
        every = {t.slug: system_actor_in(t.id, t.slug, t.name) for t in queries.living_tenants()}
    if unknown := [slug for slug in slugs if slug not in every]:
        raise click.UsageError(
            f"Unknown tenant: {', '.join(unknown)}. Tenants: {', '.join(sorted(every)) or 'none'}."
        )
    return [every[slug] for slug in slugs or sorted(every)]


# Key in `obj` that says the caller, such as a test, is already connected and checked.
CONNECTED = "connected"


def _is_connected() -> bool:
    return bool(click.get_current_context().obj == CONNECTED)


def _connect() -> None:
    from governance.app.factory import connect
    from governance.app.settings import from_environment
    from governance.kernel import logs

    if _is_connected():
        return
    logs.configure()
    connect(from_environment())


def _check_start() -> None:
    from governance.app import installation_checks
    from governance.app.settings import from_environment

    if not _is_connected():
        installation_checks.check_start(from_environment())


def _as(who: "Actor") -> "AbstractContextManager[Actor | None]":
    from governance.kernel import current

    return current.acting_as(who)


def _with_reader_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """Add the options that compare a log with the key and checkpoint that its reader saved."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--consistency",
            type=file,
            help="A saved answer of /proof/consistency, if this file alone can't be compared.",
        ),
        click.option(
            "--checkpoint",
            type=file,
            help="An older checkpoint you kept. The log must continue it.",
        ),
        click.option("--key", required=True, help=KEY_HELP),
    ):
        command = option(command)
    return command


@main.command("verify-log", epilog=EXIT_STATUS)
@click.argument("export", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--whole", is_flag=True, help="Require every entry of the log, from the first on.")
@_with_reader_options
def verify_log(
    export: Path, key: str, checkpoint: Path | None, consistency: Path | None, *, whole: bool
) -> None:
    """Verify an export of an audit log offline: every entry, its place, its proof, and your older
    checkpoint.
    """
    from governance.foundation.audit import jsonl
    from governance.foundation.audit.verify import Demand, verify

    demand = Demand.WHOLE_LOG if whole else None
    kept = _kept(checkpoint, consistency)
    with export.open("rb") as file:
        result = verify(jsonl.lines(file), _key_text(key), *kept, demand)
    _conclude(result, result.sentence)


@main.command("verify-package", epilog=EXIT_STATUS)
@click.argument("package", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--whole",
    is_flag=True,
    help="Require every log entry from the first one in the package to its checkpoint.",
)
@_with_reader_options
def verify_package(
    package: Path, key: str, checkpoint: Path | None, consistency: Path | None, *, whole: bool
) -> None:
    """Verify an evidence package offline: signature, files, log entries and your older
    checkpoint.
    """
    from governance.assurance.engagements.packages.verifier import verify

    with package.open("rb") as file:
        result = verify(file, _key_text(key), *_kept(checkpoint, consistency), whole=whole)
    _conclude(result, result.sentence)


@main.command("verify-export", epilog=EXIT_STATUS)
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help="Verifier key of the tenant's log, or its file.")
def verify_export(archive: Path, key: str) -> None:
    """Verify an export of everything offline: signature, every file, and the whole log."""
    from governance.publishing.tenant_exports.verify import verify

    with archive.open("rb") as file:
        result = verify(file, _key_text(key))
    _conclude(result, result.sentence)


@main.command("verify-certificate", epilog=EXIT_STATUS)
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, help=KEY_HELP)
def verify_certificate(certificate: Path, key: str) -> None:
    """Verify a certificate of deletion offline: CERTIFICATE is the signed text, or the ZIP with it.

    Checks the signature, the counts, the last checkpoint of the deleted log, and the PDF in a ZIP.
    """
    from governance.publishing.tenant_offboarding.certificate_file import MAX_BYTES
    from governance.publishing.tenant_offboarding.verify import verify

    with certificate.open("rb") as file:
        result = verify(file.read(MAX_BYTES + 1), _key_text(key))
    _conclude(result, result.sentence)


def _kept(checkpoint: Path | None, consistency: Path | None) -> tuple[str | None, str | None]:
    if consistency and not checkpoint:
        raise click.UsageError(
            "--consistency needs --checkpoint, the older checkpoint that the proof starts from."
        )
    return _short_text(checkpoint) if checkpoint else None, (
        _short_text(consistency) if consistency else None
    )


def _conclude(result: "VerificationResult", sentence: str) -> None:
    """Print every check and the conclusion, then exit with its status."""
    for check in result.checks:
        click.echo(f"{check.mark:<4}  {check.sentence}")
    click.echo(sentence)
    sys.exit(result.outcome.value)


def _key_text(key: str) -> str:
    return _short_text(Path(key)) if _is_file(key) else key


def _is_file(key: str) -> bool:
    """Return whether the argument names a file: a key can be too long for a file name."""
    try:
        return Path(key).is_file()
    except (OSError, ValueError):
        return False


def _short_text(path: Path) -> str:
    """Return up to 64 KB of a text file; the verifier rejects what isn't text."""
    with path.open("rb") as file:
        return file.read(65_536).decode(errors="replace")


@main.command("access")
def access() -> None:
    """Print the roles and conditions of each permission as JSON."""
    from governance.app import factory  # noqa: F401 - declares every permission
    from governance.kernel.safety.access import ROLES, registry

    table = {
        name: {"roles": [role for role in ROLES if role in p.roles], "conditions": p.conditions()}
        for name, p in sorted(registry.items())
    }
    click.echo(json.dumps(table, indent=1))


for _extra in metadata.entry_points(
    group="governance.commands"
):  # The demo's, where it is installed.
    main.add_command(_extra.load())

if __name__ == "__main__":
    main()
