"""Base backups with PostgreSQL's own tool, with every file checked against the manifest.

make(folder, url)        make a backup in a new folder of `folder`; return it and its checked bytes
check(backup)            run the check alone; raises Invalid for the first file that differs
"""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from governance.kernel import clock
from governance.kernel.errors import Invalid, Unavailable

MAX_MESSAGE_LENGTH = 200


def make(folder: Path, url: str) -> tuple[Path, int]:
    """Make and check a base backup. Return its new folder and its size in bytes.

    Raises Unavailable if the tool is missing or fails. Files that it wrote until then stay for
    inspection.
    """
    tool = shutil.which("pg_basebackup")
    if tool is None:
        raise Unavailable("pg_basebackup isn't installed here. It comes with PostgreSQL's client.")
    backup = folder / f"base-{clock.now():%Y-%m-%dT%H%M%S}"
    command = [tool, "-D", str(backup), "-d", url, "-c", "fast", "--manifest-checksums=SHA256"]
    done = subprocess.run(command, text=True, check=False, capture_output=True)  # noqa: S603
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["it gave no reason"]
        raise Unavailable(f"pg_basebackup failed: {lines[-1][:MAX_MESSAGE_LENGTH]}")
    return backup, check(backup)


def check(backup: Path) -> int:
    """Check a backup as pg_verifybackup does. Return how many bytes it read.

    Not every installation has pg_verifybackup. Raises Invalid for the first file that differs.
    """
    text = (backup / "backup_manifest").read_bytes()
    manifest = json.loads(text)
    signed = text[: text.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(signed).hexdigest() != manifest["Manifest-Checksum"]:
        raise Invalid("The backup's manifest was changed.")
    for file in manifest["Files"]:
        with (backup / file["Path"]).open("rb") as content:
            if hashlib.file_digest(content, "sha256").hexdigest() != file["Checksum"]:
                raise Invalid(f"{file['Path']} differs from the manifest.")
    return sum(file["Size"] for file in manifest["Files"])
