"""The verifier docs/verify_meridian.py, as a module and as the program that an auditor runs."""

import importlib.util
import subprocess
import sys
from pathlib import Path

from tests.conftest import REPOSITORY

FILE = REPOSITORY / "docs" / "verify_meridian.py"
_spec = importlib.util.spec_from_file_location("verify_meridian", FILE)
one_file = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(one_file)


def status_of(lines, key, older=None, *, whole=False):
    """Return the exit status for these lines of an export, without a process."""
    try:
        keys = dict(map(one_file.read_key, key.splitlines()))
        kept = older and one_file.open_checkpoint(older, keys)
        one_file.verify_log(lines, keys, kept, whole)
    except one_file.NotChecked:
        return 2
    except Exception:
        return 1
    return 0


def run_verifier(*arguments, folder=None, script=FILE):
    """Run it in a folder, without site packages and without the environment."""
    command = [sys.executable, "-I", "-S", str(script), *map(str, arguments)]
    where = Path(folder) if folder else FILE.parent
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
