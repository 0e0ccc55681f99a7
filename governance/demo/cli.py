"""The commands `governance demo` and `governance drill`, where the demo is installed (an entry
point of pyproject.toml).
"""

import os
import sys
import tempfile
from pathlib import Path

import click


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
    from governance.demo.run import run

    sys.exit(run(once=once, port=port, data=Path(data)))


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Run in this empty folder and keep it afterwards.",
)
def drill(keep: Path | None) -> None:
    """Rehearse a restore on a temporary server, from a backup that is older than an erasure.

    Exits with 1 at the first step that fails.
    """
    from governance.demo.restore_drill import run
    from governance.kernel import logs

    logs.configure()
    with tempfile.TemporaryDirectory(
        prefix="governance-drill-", ignore_cleanup_errors=True
    ) as folder:
        sys.exit(0 if run(keep.resolve() if keep else Path(folder) / "drill", click.echo) else 1)
