"""The commands `governance demo` and `governance drill`, where the demo is installed (an entry
point of pyproject.toml).
"""

import os
import sys
import tempfile
from pathlib import Path

import click


@click.command()
@click.option("--once", is_flag=True, help="Set everything up, make the report, and leave.")
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
    """The demo world: database, identity provider, web and jobs, on loopback."""
    from governance.demo.run import run

    sys.exit(run(once=once, port=port, data=Path(data)))


@click.command()
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="An empty folder; it and all in it stay.",
)
def drill(keep: Path | None) -> None:
    """Lose a throwaway console's database and bring it back from a backup that is older than an
    erasure. Exit 1 on a failure.
    """
    from governance.demo.restore_drill import run

    with tempfile.TemporaryDirectory(
        prefix="governance-drill-", ignore_cleanup_errors=True
    ) as folder:
        sys.exit(0 if run(keep.resolve() if keep else Path(folder) / "drill", click.echo) else 1)
