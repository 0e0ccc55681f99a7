"""`governance …`: every operator command. Heavy imports wait until a command needs them."""

import json
import os
import signal
import sys
import threading
from importlib import metadata
from pathlib import Path

import click


def _version() -> str:
    """Of the installed project; the image runs it from its folder, uninstalled."""
    try:
        return metadata.version("governance")
    except metadata.PackageNotFoundError:
        return "from the source folder"


@click.group(context_settings={"max_content_width": 100})
@click.version_option(_version())
def main() -> None:
    """The Governance Console."""


@main.command()
def migrate() -> None:
    """Bring the database to this version's schema and write the built-in catalogues. Needs the owner's URL."""
    from governance import migrate as migrations
    from governance.frameworks import sync
    from governance.kernel import config

    settings = config.from_environment()
    migrations.upgrade(settings.owner_database_url)
    sync.sync(settings.owner_database_url)
    click.echo("The database is at this version.")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=2, show_default=True)
def web(host: str, port: int, workers: int) -> None:
    """Serve the console (granian, WSGI)."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian("app:app", address=host, port=port, interface=Interfaces.WSGI, workers=workers, blocking_threads=16,
            log_access=False, log_level="warning").serve()  # type: ignore[arg-type]  # fmt: skip # granian takes the name too


@main.command()
def jobs() -> None:
    """Run the queue and the schedule, until SIGTERM; what is under way is taken up again by the next process."""
    from governance.factory import create_app
    from governance.kernel import jobs as queue
    from governance.people.jobs import actor_of
    from governance.schedule import JOBS, sequence_logs

    create_app()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sequencer = threading.Thread(target=sequence_logs, args=(stop,), name="sequencer")
    schedule = queue.scheduler(JOBS)
    schedule.start()
    sequencer.start()
    queue.work_loop(actor_of, stop)
    sequencer.join()
    schedule.shutdown(wait=False)


@main.command("verify-report")
@click.argument("report", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", "key", required=True, help="The verifier key, or a file that holds it.")
@click.option(
    "--signature",
    "signature",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="By default REPORT.sig, or REPORT with .sig.",
)
def verify_report(report: Path, key: str, signature: Path | None) -> None:
    """Check a report offline: signature, file, attachments, fingerprint. Exit 1 when anything fails."""
    from governance.reports.verify import verify

    beside = [report.with_name(report.name + ".sig"), report.with_suffix(".sig")]
    note = signature or next((path for path in beside if path.exists()), None)
    if note is None:
        raise click.UsageError(f"No signature beside the report: looked for {', '.join(p.name for p in beside)}.")
    line = Path(key).read_text().strip().splitlines()[0] if Path(key).is_file() else key
    result = verify(report.read_bytes(), note.read_text(errors="replace"), line)
    for check in result.checks:
        click.echo(f"{'ok  ' if check.ok else 'FAIL'}  {check.sentence}")
    click.echo(result.sentence)
    sys.exit(0 if result.ok else 1)


@main.group()
def keys() -> None:
    """The installation's keys."""


@keys.command("rotate-kek")
def rotate_kek() -> None:
    """Wrap everything under the key of GOVERNANCE_KEK_FILE that is under GOVERNANCE_KEK_PREVIOUS_FILE. Safe to run again."""
    from governance.factory import create_app
    from governance.kernel import vault
    from governance.privacy.rotation import rotate

    create_app()
    result = rotate()
    listed = ", ".join(f"{table} {count}" for table, count in sorted(result.rewrapped.items())) or "nothing was left to do"
    click.echo(f"Wrapped anew under key {vault.service().key_id}: {listed}.")
    for table, count in sorted(result.lost.items()):
        click.echo(f"{table}: {count} open with neither key. Name the key that wrapped them in GOVERNANCE_KEK_PREVIOUS_FILE.")
    for table, count in sorted(result.left.items()):
        click.echo(
            f"{table}: {count} are under the previous key again. Start web and jobs with the new key, then run this again."
        )
    click.echo("Nothing is under the previous key: drop it." if result.is_done else "Not done. Keep the previous key.")
    sys.exit(0 if result.is_done else 1)


@main.group("privacy")
def privacy_commands() -> None:
    """What the operator does about persons who were erased."""


@privacy_commands.command("replay")
def replay() -> None:
    """After a restore: erase again whom the erasure list names. Safe to run again."""
    from governance.factory import create_app
    from governance.privacy import replay as erasures

    create_app()
    done = erasures.replay()
    for listed in done:
        click.echo(f"erased again: {listed.subject} of tenant {listed.tenant_id}, first erased on {listed.at:%Y-%m-%d}")
    click.echo(f"{len(done)} erased again. The database forgets what the erasure list names." if done else
               "Nothing to erase again: the database has done everything that the erasure list names.")  # fmt: skip


@main.command()
@click.option("--once", is_flag=True, help="Set everything up, make the report, and leave.")
@click.option("--port", type=int, default=lambda: int(os.environ.get("PORT", "8000")), show_default="8000")
@click.option(
    "--data", default=lambda: os.environ.get("DATA", "var/demo"), show_default="var/demo", type=click.Path(path_type=Path)
)
def demo(once: bool, port: int, data: Path) -> None:  # noqa: FBT001 - click passes them by name
    """The demo world: database, identity provider, web and jobs, on loopback."""
    from governance.demo.run import run

    sys.exit(run(once=once, port=port, data=Path(data)))


@main.command("access")
def access() -> None:
    """Print who may do what: role and permission."""
    from governance import factory  # noqa: F401 - declares every permission
    from governance.kernel.access import ROLES, registry

    table = {name: [role for role in ROLES if role in p.roles] for name, p in sorted(registry.items())}
    click.echo(json.dumps(table, indent=1))


if __name__ == "__main__":
    main()
