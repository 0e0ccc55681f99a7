"""The commands `governance demo` and `governance drill`, if the demo is installed.

pyproject.toml registers them as an entry point.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from governance.publishing.operator_work.backup_records import Outcome


@click.command()
@click.option("--once", is_flag=True, help="Set everything up, generate the reports, and exit.")
@click.option(
    "--port", type=int, default=lambda: int(os.environ.get("PORT", "8000")), show_default="8000"
)
@click.option(
    "--data",
    default=lambda: os.environ.get("DATA", "var/demo"),
    show_default="var/demo",
    type=click.Path(path_type=Path),
)
def demo(once: bool, port: int, data: Path) -> None:  # noqa: FBT001 - click passes them by name
    """Run the demo on this machine: database, identity provider, web and jobs."""
    from governance.demo import children
    from governance.kernel import clock

    os.environ["GOVERNANCE_DEMO"] = "1"
    clock.move_as_told()
    children.prepare()
    from governance.demo.run import run

    sys.exit(run(once=once, port=port, data=Path(data)))


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run in this empty folder and keep it afterwards.",
)
@click.option(
    "--record/--no-record",
    default=True,
    show_default=True,
    help="Record the outcome in the operator's audit log, where DATABASE_URL names the database.",
)
def drill(keep: Path | None, record: bool) -> None:  # noqa: FBT001 - click passes them by name
    """Rehearse a restore on a temporary server, from a backup that is older than an erasure.

    Exits with 1 at the first step that fails.
    """
    from governance.demo.restore_drill import run
    from governance.kernel import logs

    logs.configure()
    ours = dict(os.environ)  # The drill sets its own values.
    with tempfile.TemporaryDirectory(
        prefix="governance-drill-", ignore_cleanup_errors=True
    ) as folder:
        outcome = run(keep.resolve() if keep else Path(folder) / "drill", click.echo)
    if record:
        _record(outcome, ours)
    sys.exit(0 if outcome.succeeded else 1)


def _record(outcome: "Outcome", environment: dict[str, str]) -> None:
    """Record the outcome in a separate process, because this one uses the drill's database."""
    if "DATABASE_URL" not in environment:
        click.echo(
            "Not recorded: DATABASE_URL isn't set. Use governance backup record --drill.", err=True
        )
        return
    command = [sys.executable, "-m", "governance.app.cli", "backup", "record", "--drill"]
    command += ["--ok" if outcome.succeeded else "--failed", f"--bytes={outcome.size}"]
    command += [f"--seconds={outcome.seconds}", f"--problem={outcome.problem}"]
    done = subprocess.run(command, env=environment, check=False, text=True, capture_output=True)  # noqa: S603
    click.echo(done.stdout.strip() or f"Not recorded: {done.stderr.strip()[-300:]}")
