"""The list of released migrations, with a hash of each, which proves that they never change.

python -m tools.released     add the current migrations to the list when a version is released
"""

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSIONS = ROOT / "migrations" / "versions"
LIST = ROOT / "tests" / "released" / "migrations.sha256"  # The format of sha256sum.


def changed(listed: str, versions: Path = VERSIONS) -> list[str]:
    """Return a sentence for each migration that was changed or removed since its release."""
    faults = []
    for line in listed.splitlines():
        digest, name = line.split("  ")
        path = versions / Path(name).name
        if not path.exists():
            faults.append(
                f"{path.name} was released and is gone. Restore it: databases in use were migrated"
                " with it."
            )
        elif _digest(path) != digest:
            faults.append(
                f"{path.name} was released and has changed. Restore it, and write a new migration:"
                " make migration name=…"
            )
    return faults


def write_list() -> None:
    """Write the list of all current migrations."""
    LIST.write_text(
        "".join(
            f"{_digest(path)}  {path.relative_to(ROOT)}\n" for path in sorted(VERSIONS.glob("*.py"))
        )
    )


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    if faults := changed(LIST.read_text()):
        sys.exit("\n".join(faults))
    write_list()
