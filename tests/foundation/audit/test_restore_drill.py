"""The restore drill as an operator runs it: every step passes, and a failure is an exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def drill(*options):
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GOVERNANCE_", "PYTEST_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "governance.app.cli", "drill", *options],
        cwd=ROOT,
        env=kept,
        check=False,
        capture_output=True,
        text=True,
        timeout=900,
    )


@pytest.mark.nightly
def test_a_lost_database_comes_back_and_the_erased_stay_erased(server_folder):
    done = drill("--keep", str(server_folder / "drill"))
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in lines[:-1] if not line.startswith("ok    ")] == [] and len(lines) == 16
    assert "The restore drill passed in" in lines[-1]
    for promise in (
        "the erased person is readable again",
        "has erased them again. A second run finds nothing to do",
        "verified, no damage found",
        "this log was rolled back",
        "/restored-1",
        "the erased person stays erased",
    ):
        assert promise in done.stdout
    assert (server_folder / "drill" / "witness.json").exists()


@pytest.mark.slow
def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    (tmp_path / "mine").write_text("precious")
    done = drill("--keep", str(tmp_path))
    assert done.returncode == 1 and "is not empty" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
